import { stringify } from "yaml";
import type { Config } from "./config.ts";
import { HIDDEN, hideCredentials, isEndpoint } from "./hide-credentials.ts";
import { isRecord } from "./is-record.ts";
import { SIGNALS, type Signal } from "./otlp-targets.ts";
import type { Resolved } from "./resolve-config.ts";
import { SETTINGS, type Setting } from "./settings.ts";

/** The configuration as YAML, each value with where it came from; secrets are hidden. Undefined where something is wrong. */
export function formatConfig({ config, settings, origins }: Resolved): string | undefined {
  if (config === undefined || settings === undefined) return undefined;
  const lines: string[] = [];
  let open: readonly string[] = [];
  for (const setting of SETTINGS) {
    const value = readPath(settings, setting.path);
    const origin = origins.get(setting.path);
    // Most of the keys of one signal are not set, and say nothing.
    if (setting.path.split(".").length > 2 && setting.path.startsWith("otlp.") && value === undefined)
      continue;
    const sections = setting.path.split(".").slice(0, -1);
    lines.push(...openSections(open, sections));
    open = sections;
    lines.push(`${"  ".repeat(sections.length)}${formatLine(setting, { value, origin, config })}`);
  }
  return [...lines, "", ...SIGNALS.map((signal) => `# ${formatTarget(config, signal)}`), ""].join("\n");
}

/** One sentence that says of what it was made. */
export function summarizeConfig({ origins }: Resolved, file: string | undefined): string {
  const sources = new Set([...origins.values()].flatMap((origin) => origin.split(", ")));
  const flags = [...sources].filter((source) => source.startsWith("--")).length;
  const variables = [...sources].filter((source) => /^[A-Z_]+$/.test(source)).length;
  const parts = [
    file === undefined ? "no file" : file,
    `${variables} ${variables === 1 ? "variable" : "variables"}`,
    `${flags} ${flags === 1 ? "flag" : "flags"}`,
  ];
  return `The configuration is right: ${parts.join(", ")}`;
}

function openSections(before: readonly string[], now: readonly string[]): readonly string[] {
  let same = 0;
  while (same < now.length && before[same] === now[same]) same++;
  return now.slice(same).map((key, index) => `${"  ".repeat(same + index)}${key}:`);
}

interface Shown {
  readonly value: unknown;
  readonly origin: string | undefined;
  readonly config: Config;
}

function formatLine(setting: Setting, { value, origin, config }: Shown): string {
  const key = setting.path.split(".").at(-1) ?? "";
  if (value !== undefined) {
    return `${key}: ${formatValue(setting, value)} # ${origin ?? "default"}`;
  }
  const followed = readPath(config, setting.path);
  if (followed === undefined) return `# ${key}: # not set`;
  return `${key}: ${formatValue(setting, followed)} # follows from the other settings`;
}

function formatValue({ path, secret }: Setting, value: unknown): string {
  let shown = value;
  if (secret && isRecord(value)) shown = Object.fromEntries(Object.keys(value).map((key) => [key, HIDDEN]));
  if (isEndpoint(path) && typeof value === "string") shown = hideCredentials(value);
  const isPlain = typeof shown !== "object" && !String(shown).includes("\n");
  return isPlain ? stringify(shown, { lineWidth: 0 }).trim() : formatFlow(shown);
}

/** Lists and mappings on one line, which may be long: JSON is YAML. */
function formatFlow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(formatFlow).join(", ")}]`;
  if (!isRecord(value)) return JSON.stringify(value);
  const pairs = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}: ${formatFlow(inner)}`);
  return `{${pairs.join(", ")}}`;
}

function formatTarget(config: Config, signal: Signal): string {
  const { exporter } = config[signal];
  if (exporter === "none") return `${signal} are not sent`;
  if (exporter === "console") return `${signal} go to the output`;
  const { endpoint, protocol, insecure, compression } = config.otlp[signal];
  return `${signal} go to ${hideCredentials(endpoint)} over ${protocol}${insecure ? "" : " with TLS"}, compression ${compression}`;
}

function readPath(value: unknown, path: string): unknown {
  let inner = value;
  for (const key of path.split(".")) inner = isRecord(inner) ? inner[key] : undefined;
  return inner;
}
