import * as v from "valibot";
import { checkFile } from "./check-file.ts";
import { checkWhole } from "./check-whole.ts";
import type { Config } from "./config.ts";
import type { ConfigFile } from "./config-file.ts";
import { deriveConfig } from "./derive-config.ts";
import { isRecord } from "./is-record.ts";
import { readOtelVariables } from "./read-otel-variables.ts";
import { type Env, type FlagTexts, type Given, readFlag, readVariable } from "./read-texts.ts";
import { CONFIG_SCHEMA, type Settings } from "./schema.ts";
import { SETTINGS, type Setting } from "./settings.ts";
import { unknownVariables } from "./unknown-variables.ts";

export interface ResolveOptions {
  readonly file?: ConfigFile | undefined;
  /** Only these are read, from flags and their own variables; all others keep their defaults. */
  readonly only?: readonly Setting[];
}

/** Where each setting that is set came from, by its path: `--scope`, `TCPRETRANS_SCOPE`, `agent.yaml:3:10`. */
export type Origins = ReadonlyMap<string, string>;

export interface Resolved {
  /** Undefined where something is wrong. */
  readonly config: Config | undefined;
  /** What the configuration follows from; undefined where something is wrong. */
  readonly settings: Settings | undefined;
  readonly origins: Origins;
  /** Everything that is wrong, a sentence each. */
  readonly problems: readonly string[];
  /** What is left out or has no effect; the configuration can be used all the same. */
  readonly warnings: readonly string[];
}

/** Makes the configuration of defaults, file, OTEL_* variables, own variables and flags, later ones winning; tells all problems at once. */
export function resolveConfig(flags: FlagTexts, env: Env, { file, only }: ResolveOptions = {}): Resolved {
  const otel = only === undefined ? readOtelVariables(env) : undefined;
  const problems = file === undefined ? [] : [...file.problems, ...checkFile(file)];
  const origins = new Map<string, string>();
  const input: Record<string, unknown> = {};
  for (const setting of only ?? SETTINGS) {
    const layers = [
      readFile(setting, file),
      otel?.givens.get(setting.path),
      readVariable(setting, env),
      readFlag(setting, flags),
    ].filter((given) => given !== undefined);
    // Names with texts are gathered from all places; of all else the last place has it.
    const used = setting.kind === "pairs" ? layers : layers.slice(-1);
    if (used.length === 0) continue;
    for (const given of used) problems.push(...problemsOf(setting, given));
    origins.set(setting.path, used.map(({ by }) => by).join(", "));
    put(input, setting.path.split("."), joined(used));
  }
  problems.push(...(otel?.problems ?? []));
  const warnings = only === undefined ? [...(otel?.warnings ?? []), ...unknownVariables(env)] : [];
  if (problems.length > 0) return { config: undefined, settings: undefined, origins, problems, warnings };
  const settings = v.parse(CONFIG_SCHEMA, input);
  const config = deriveConfig(settings);
  const whole = checkWhole(config, settings, { origins });
  const isRight = whole.problems.length === 0;
  return {
    config: isRight ? config : undefined,
    settings: isRight ? settings : undefined,
    origins,
    problems: whole.problems,
    warnings: [...warnings, ...whole.warnings],
  };
}

function readFile({ path }: Setting, file: ConfigFile | undefined): Given | undefined {
  if (file === undefined) return undefined;
  const keys = path.split(".");
  let value: unknown = file.value;
  for (const key of keys) value = isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  if (value === undefined) return undefined;
  const by = file.at(keys).text;
  return { by, written: by, value, checked: true };
}

function problemsOf({ schema }: Setting, { value, written, checked = false }: Given): readonly string[] {
  if (checked) return [];
  const { issues = [] } = v.safeParse(schema, value, { abortPipeEarly: true });
  return issues.map(({ message }) => `Cannot use ${written}: ${message}`);
}

function joined(givens: readonly Given[]): unknown {
  if (!givens.every(({ value }) => isRecord(value))) return givens.at(-1)?.value;
  return Object.assign({}, ...givens.map(({ value }) => value));
}

function put(target: Record<string, unknown>, [first, ...rest]: readonly string[], value: unknown): void {
  if (first === undefined) return;
  if (rest.length === 0) {
    target[first] = value;
    return;
  }
  const inner = target[first] ?? {};
  target[first] = inner;
  if (isRecord(inner)) put(inner, rest, value);
}
