import type { JsonSchema } from "@valibot/to-json-schema";
import { longFlag, SETTINGS, type Setting } from "../src/config/settings.ts";
import { configJsonSchema } from "./config-json-schema.ts";

const SIGNAL_KEY = /^otlp\.(logs|metrics|traces)\./;

/** Every setting as tables of a document, one for each section. */
export function settingsTables(): string {
  const schema = configJsonSchema();
  const sections = Map.groupBy(SETTINGS, ({ path }) => path.split(".")[0] ?? "");
  return [...sections]
    .map(([section, settings]) => {
      const own = settings.filter(({ path }) => !SIGNAL_KEY.test(path));
      const ofSignal = settings.filter(({ path }) => path.startsWith("otlp.logs."));
      const rows = [...own.map((setting) => row(setting, schema)), ...ofSignal.map(signalRow)];
      return `### ${section}\n\n| key | flag | variable | type | default | meaning |\n|---|---|---|---|---|---|\n${rows.join("\n")}`;
    })
    .join("\n\n");
}

function row(setting: Setting, schema: JsonSchema): string {
  const { path, description } = setting;
  const cells = [
    code(path),
    code(flagOf(setting)),
    code(setting.env),
    typeOf(setting, schema),
    fallbackOf(setting),
  ];
  return `| ${[...cells, description].join(" | ")} |`;
}

/** The keys of one signal are those of all signals: one row stands for three. */
function signalRow(setting: Setting): string {
  const key = setting.path.replace(SIGNAL_KEY, "");
  const cells = [
    `otlp.SIGNAL.${key}`,
    flagOf(setting).replaceAll("otlp-logs-", "otlp-SIGNAL-"),
    setting.env.replace("_LOGS_", "_SIGNAL_"),
  ].map(code);
  return `| ${[...cells, `as otlp.${key}`, "–", `for logs, metrics or traces alone; wins over otlp.${key}`].join(" | ")} |`;
}

function flagOf(setting: Setting): string {
  const flag = longFlag(setting);
  return setting.kind === "switch" ? `${flag}, --no-${flag.slice(2)}` : setting.flag;
}

function typeOf({ kind, path, choices }: Setting, schema: JsonSchema): string {
  if (choices.length > 0) return choices.map(code).join(" ");
  switch (kind) {
    case "number": {
      const { type, minimum, maximum } = nodeAt(path, schema);
      return `${type === "integer" ? "whole number" : "number"}, ${minimum} to ${maximum}`;
    }
    case "switch":
      return "`true` `false`";
    case "list":
      return "list of texts";
    case "named":
      return "list of {name, cidr}";
    case "pairs":
      return "names with texts";
    default:
      return "text";
  }
}

function fallbackOf({ fallback }: Setting): string {
  if (fallback === undefined) return "–";
  if (typeof fallback === "object" && fallback !== null) return "none";
  return code(String(fallback));
}

function nodeAt(path: string, schema: JsonSchema): JsonSchema {
  let node: JsonSchema = schema;
  for (const key of path.split(".")) node = (node.properties?.[key] ?? {}) as JsonSchema;
  return node;
}

function code(text: string): string {
  return `\`${text}\``;
}
