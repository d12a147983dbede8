import { existsSync } from "node:fs";
import { join } from "node:path";
import { SETTINGS } from "../../src/config/settings.ts";
import { ATTRIBUTES, EVENT_NAMES, RESOURCE_ATTRIBUTES, TYPE_KEYS } from "../../src/export/attributes.ts";
import { RETRANSMIT_METRICS } from "../../src/export/metrics.ts";
import { prometheusName } from "../../src/export/prometheus-name.ts";
import { SELF_METRICS } from "../../src/export/self-metric-definitions.ts";
import { SPECIFIED_VARIABLES } from "../config/specified-variables.ts";
import { unknownNames } from "../support/known-metrics.ts";
import { isChartValue, isFlag, isScript, isSetting } from "./command-problems.ts";
import { ROOT } from "./markdown.ts";

/** Every name with dots that leaves the process. */
const EXPORTED: ReadonlySet<string> = new Set([
  ...Object.values(ATTRIBUTES),
  ...Object.values(RESOURCE_ATTRIBUTES),
  ...Object.values(EVENT_NAMES),
  ...Object.values(TYPE_KEYS),
  ...Object.values(RETRANSMIT_METRICS).map(({ name }) => name),
  ...Object.values(SELF_METRICS).map(({ name }) => name),
]);

/** Beside the settings' own; OTEL_* ones are the specification's. */
const VARIABLES: ReadonlySet<string> = new Set([
  ...SETTINGS.map(({ env }) => env),
  ...SPECIFIED_VARIABLES,
  "TCPRETRANS_CONFIG", // the agent's file
  "TCPRETRANS_NO_FFI", // src/cli/run.ts
  "TCPRETRANS_NODE", // bin/tcpretrans
]);

/** What looks like a name of ours and is none, with whose it is. */
export const NAMES_OF_OTHERS: ReadonlyMap<string, string> = new Map([
  ["--no-", "how each switch is turned off"],
  ...[
    "OTEL_NODE_RESOURCE_DETECTORS",
    "OTEL_NODE_EXPERIMENTAL_SDK_METRICS",
    "OTEL_SPAN_ATTRIBUTE_PER_EVENT_COUNT_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_PER_LINK_COUNT_LIMIT",
    "OTEL_SEMCONV_STABILITY_OPT_IN",
    "OTEL_NODE_ENABLED_INSTRUMENTATIONS",
    "OTEL_NODE_DISABLED_INSTRUMENTATIONS",
    "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS",
  ].map((name) => [name, "packages of OpenTelemetry JS"] as const),
]);

interface Sort {
  /** Texts that can only be names of this sort. */
  readonly is: RegExp;
  readonly knows: (text: string) => boolean;
}

/** Prometheus has these with an ending only. */
const HISTOGRAMS: ReadonlySet<string> = new Set(
  Object.values(RETRANSMIT_METRICS)
    .filter(({ kind }) => kind === "histogram")
    .map((metric) => prometheusName(metric).sample),
);
const SECTIONS = [...new Set(SETTINGS.map(({ path }) => path.split(".")[0]))].join("|");
const ROOMS = "src|test|docs|scripts|examples|charts|manifests|schema|bin|man|\\.ci";
const EXPORTED_ROOTS =
  "tcp|tcpretrans|source|destination|network|linux|probe|process|k8s|service|event|error|otel|host";

/** The sorts of names that documents write in backticks; the first that fits judges. */
const SORTS: readonly Sort[] = [
  {
    is: /^npm (?:run \S+|start|test)\b/,
    knows: (text) => isScript(text.replace(/^npm (run )?/, "").split(" ")[0] ?? ""),
  },
  { is: /^--[a-z]/, knows: (text) => isFlag(text.split(/[ =,[]/)[0] ?? "") },
  { is: /^(?:TCPRETRANS|OTEL)_[A-Z_]+$/, knows: (text) => VARIABLES.has(text) },
  { is: new RegExp(`^(?:${ROOMS})/[\\w./-]+$`), knows: (text) => existsSync(join(ROOT, text)) },
  {
    is: /^(?:tcp|tcpretrans|process)_[a-z_]+_(?:total|seconds|bytes|bucket|sum|count|info)$/,
    knows: (text) => unknownNames(text, []).length === 0 || HISTOGRAMS.has(text),
  },
  {
    is: new RegExp(`^(?:${EXPORTED_ROOTS}|${SECTIONS})\\.[a-zA-Z][\\w.]*$`),
    knows: (text) => EXPORTED.has(text) || isSetting(text) || isChartValue(text),
  },
];

/** Whether a text in backticks is no name of ours, or one that there is. */
export function isKnown(text: string): boolean {
  // One row of a table stands for the three signals.
  const name = text.replaceAll("SIGNAL", text.includes("_SIGNAL_") ? "LOGS" : "logs");
  const sort = SORTS.find(({ is }) => is.test(name));
  return sort === undefined || sort.knows(name) || NAMES_OF_OTHERS.has(text);
}
