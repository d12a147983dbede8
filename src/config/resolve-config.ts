import * as v from "valibot";
import type { Config } from "./config.ts";
import { deriveConfig } from "./derive-config.ts";
import { CONFIG_SCHEMA } from "./schema.ts";
import { SETTINGS, type Setting } from "./settings.ts";

/** Texts of flags by the flag's long name (`--scope`): one for each use; a switch has an empty one. */
export type FlagTexts = ReadonlyMap<string, readonly string[]>;

export interface Resolved {
  /** Undefined where something is wrong. */
  readonly config: Config | undefined;
  /** Everything that is wrong, a sentence each. */
  readonly problems: readonly string[];
}

interface Source {
  /** What the person wrote: `--scope foo`, `TCPRETRANS_SCOPE=foo`. */
  readonly written: string;
  readonly value: unknown;
}

/** Makes the configuration of defaults, environment and flags, later ones winning; tells all problems at once. */
export function resolveConfig(flags: FlagTexts, env: Readonly<Record<string, string | undefined>>): Resolved {
  const problems: string[] = [];
  const sources = new Map<string, Source>();
  const input: Record<string, unknown> = { kubernetes: { tombstones: {} }, names: {} };
  for (const setting of SETTINGS) {
    const source = fromFlag(setting, flags) ?? fromEnvironment(setting, env);
    if (source === undefined) continue;
    sources.set(setting.path.join("."), source);
    put(input, setting.path, source.value);
  }
  const result = v.safeParse(CONFIG_SCHEMA, input);
  if (result.success) return { config: deriveConfig(result.output), problems };
  for (const issue of result.issues) problems.push(explain(issue, sources));
  return { config: undefined, problems };
}

/** The flag's long name. */
export function longFlag({ flag }: Setting): string {
  return flag.replace(/ .*/, "");
}

function fromFlag(setting: Setting, flags: FlagTexts): Source | undefined {
  const flag = longFlag(setting);
  const texts = flags.get(flag);
  const last = texts?.at(-1);
  if (texts === undefined || last === undefined) return undefined;
  switch (setting.kind) {
    case "switch":
      return { written: flag, value: true };
    case "list":
    case "named":
      return { written: texts.map((text) => `${flag} ${text}`).join(" "), value: listOf(setting, texts) };
    default:
      return { written: `${flag} ${last}`, value: scalar(setting, last) };
  }
}

function fromEnvironment(
  setting: Setting,
  env: Readonly<Record<string, string | undefined>>,
): Source | undefined {
  const text = env[setting.env];
  if (text === undefined || text === "") return undefined;
  const written = `${setting.env}=${text}`;
  if (setting.kind !== "list" && setting.kind !== "named") return { written, value: scalar(setting, text) };
  const texts = text.split(",").map((part) => part.trim());
  return { written, value: listOf(setting, texts) };
}

function scalar({ kind }: Setting, text: string): unknown {
  if (kind === "number") return /^\d+$/.test(text) ? Number(text) : text;
  if (kind === "switch") return text === "true" || text === "1" || (text !== "false" && text !== "0" && text);
  return text;
}

function listOf({ kind }: Setting, texts: readonly string[]): unknown {
  if (kind === "list") return texts;
  return texts.map((text) => {
    const at = text.indexOf("=");
    return at < 0 ? text : { name: text.slice(0, at), cidr: text.slice(at + 1) };
  });
}

function put(target: Record<string, unknown>, [first, ...rest]: readonly string[], value: unknown): void {
  if (first === undefined) return;
  const [next] = rest;
  const inner = target[first];
  if (next === undefined) target[first] = value;
  else if (isRecord(inner)) put(inner, rest, value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function explain(issue: v.BaseIssue<unknown>, sources: ReadonlyMap<string, Source>): string {
  const path = (issue.path ?? []).map(({ key }) => String(key));
  const source = sources.get(path.join(".")) ?? sources.get(path.slice(0, 2).join("."));
  return `Cannot use ${source?.written ?? path.join(".")}: ${remedy(issue)}`;
}

function remedy(issue: v.BaseIssue<unknown>): string {
  if (issue.message.startsWith("give ")) return issue.message;
  if (issue.type === "boolean") return "give true or false";
  if (issue.type === "strict_object") return "give a name and a range, such as office=192.0.2.0/24";
  return issue.message;
}
