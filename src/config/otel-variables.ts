import { SIGNALS } from "./otlp-targets.ts";
import { type Env, parsePairs } from "./read-texts.ts";

/** What a variable's text says for our settings. */
export type Reading =
  | {
      readonly kind: "values";
      readonly values: readonly (readonly [path: string, value: unknown])[];
      /** What of it is not taken. */
      readonly note?: string;
    }
  | { readonly kind: "unusable"; readonly remedy: string };

/** A standard variable of OpenTelemetry that sets something here. */
export interface OtelVariable {
  readonly name: string;
  read(text: string, env: Env): Reading;
  /** It is an error when it cannot be used; others are left out with a warning, as the specification wants it. */
  readonly strict?: boolean;
  readonly secret?: boolean;
}

/** Every one of them; where two set the same, the first wins. */
export const OTEL_VARIABLES: readonly OtelVariable[] = [
  { name: "OTEL_SDK_DISABLED", read: readDisabled },
  { name: "OTEL_LOGS_EXPORTER", read: (text) => readExporters(text, "logs") },
  { name: "OTEL_METRICS_EXPORTER", read: (text) => readExporters(text, "metrics") },
  { name: "OTEL_TRACES_EXPORTER", read: (text) => readExporters(text, "traces") },
  { name: "OTEL_TRACES_SAMPLER", read: readSampler },
  { name: "OTEL_LOG_LEVEL", read: readLogLevel },
  { name: "OTEL_SERVICE_NAME", read: (text) => one("resource.serviceName", text) },
  { name: "OTEL_RESOURCE_ATTRIBUTES", read: readResource },
  ...SIGNALS.flatMap((signal) =>
    otlpVariables(`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}`, `otlp.${signal}`),
  ),
  ...otlpVariables("OTEL_EXPORTER_OTLP", "otlp"),
  {
    name: "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
    read: (text) => one("metrics.temporality", text.toLowerCase()),
  },
  { name: "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", read: readAggregation },
  duration("OTEL_METRIC_EXPORT_INTERVAL", "metrics.intervalSeconds"),
  duration("OTEL_METRIC_EXPORT_TIMEOUT", "metrics.exportTimeoutSeconds"),
  ...batchVariables("OTEL_BLRP", "logs.batch"),
  ...batchVariables("OTEL_BSP", "traces.batch"),
  whole("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "logs.limits.attributeCount"),
  whole("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "logs.limits.attributeLength"),
  whole("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "traces.limits.attributeCount"),
  whole("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "traces.limits.attributeLength"),
  whole("OTEL_SPAN_EVENT_COUNT_LIMIT", "traces.maxEventsPerSpan"),
  whole("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "traces.limits.eventAttributeCount"),
  whole("OTEL_ATTRIBUTE_COUNT_LIMIT", "logs.limits.attributeCount", "traces.limits.attributeCount"),
  whole("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "logs.limits.attributeLength", "traces.limits.attributeLength"),
  { name: "OTEL_EXPORTER_PROMETHEUS_HOST", read: (text) => one("http.host", text) },
  whole("OTEL_EXPORTER_PROMETHEUS_PORT", "http.port"),
];

function otlpVariables(prefix: string, section: string): readonly OtelVariable[] {
  const strict = true;
  const texts = (name: string, key: string): OtelVariable => ({
    name: `${prefix}_${name}`,
    read: (text) => one(`${section}.${key}`, text),
    strict,
  });
  return [
    texts("ENDPOINT", "endpoint"),
    { name: `${prefix}_PROTOCOL`, read: (text) => readProtocol(text, `${section}.protocol`) },
    {
      name: `${prefix}_HEADERS`,
      read: (text) => readPairs(text, `${section}.headers`),
      strict,
      secret: true,
    },
    duration(`${prefix}_TIMEOUT`, `${section}.timeoutSeconds`),
    { name: `${prefix}_COMPRESSION`, read: (text) => one(`${section}.compression`, text) },
    { name: `${prefix}_INSECURE`, read: (text) => readBoolean(text, `${section}.insecure`) },
    texts("CERTIFICATE", "certificate"),
    texts("CLIENT_CERTIFICATE", "clientCertificate"),
    texts("CLIENT_KEY", "clientKey"),
  ];
}

function batchVariables(prefix: string, section: string): readonly OtelVariable[] {
  return [
    duration(`${prefix}_SCHEDULE_DELAY`, `${section}.delaySeconds`),
    duration(`${prefix}_EXPORT_TIMEOUT`, `${section}.exportTimeoutSeconds`),
    whole(`${prefix}_MAX_QUEUE_SIZE`, `${section}.queueRecords`),
    whole(`${prefix}_MAX_EXPORT_BATCH_SIZE`, `${section}.maxRecords`),
  ];
}

/** Milliseconds in the variable are seconds here. */
function duration(name: string, path: string): OtelVariable {
  return {
    name,
    read: (text) =>
      /^\d+$/.test(text) ? one(path, Number(text) / 1000) : unusable("give whole milliseconds"),
  };
}

function whole(name: string, ...paths: readonly string[]): OtelVariable {
  return {
    name,
    read: (text) =>
      /^\d+$/.test(text)
        ? { kind: "values", values: paths.map((path) => [path, Number(text)]) }
        : unusable("give a whole number"),
  };
}

function readDisabled(text: string): Reading {
  if (text.toLowerCase() === "true")
    return { kind: "values", values: SIGNALS.map((signal) => [`${signal}.exporter`, "none"]) };
  return text.toLowerCase() === "false" ? { kind: "values", values: [] } : unusable("give true or false");
}

/** Only true is true; the specification takes all else for false and wants a warning. */
function readBoolean(text: string, path: string): Reading {
  const lower = text.toLowerCase();
  const values = [[path, lower === "true"]] as const;
  if (lower === "true" || lower === "false") return { kind: "values", values };
  return { kind: "values", values, note: "it is taken for false: give true or false" };
}

/** A list of exporters; each signal has one here, and Prometheus reads /metrics beside it. */
function readExporters(text: string, signal: "logs" | "metrics" | "traces"): Reading {
  const names = [...new Set(text.split(",").map((name) => name.trim()))].filter((name) => name !== "");
  const known = ["otlp", "console", "none", ...(signal === "metrics" ? ["prometheus"] : [])];
  if (names.length === 0 || names.some((name) => !known.includes(name))) {
    return unusable(`give one of ${known.join(", ")}`);
  }
  const [first = "none", ...rest] = names.filter((name) => name !== "prometheus");
  const values: (readonly [string, unknown])[] = [[`${signal}.exporter`, first]];
  if (names.includes("prometheus")) values.push(["http.enabled", true]);
  if (rest.length === 0) return { kind: "values", values };
  return { kind: "values", values, note: `${rest.join(", ")} is left out: one exporter is taken, the first` };
}

/** Episodes are root spans, so what a sampler does with a parent does not matter. */
function readSampler(text: string, env: Env): Reading {
  const path = "traces.sampleRatio";
  switch (text.replace(/^parentbased_/, "")) {
    case "always_on":
      return one(path, 1);
    case "always_off":
      return one(path, 0);
    case "traceidratio": {
      const argument = env["OTEL_TRACES_SAMPLER_ARG"]?.trim() ?? "";
      const ratio = Number(argument);
      if (argument !== "" && ratio >= 0 && ratio <= 1) return one(path, ratio);
      const note = "OTEL_TRACES_SAMPLER_ARG is no number from 0 to 1: every episode is taken";
      return argument === "" ? one(path, 1) : { kind: "values", values: [[path, 1]], note };
    }
    default:
      return unusable("give always_on, always_off or traceidratio, alone or behind parentbased_");
  }
}

/** OpenTelemetry JS has more levels than the agent's own log. */
function readLogLevel(text: string): Reading {
  const level = text.toLowerCase();
  switch (level) {
    case "all":
    case "verbose":
      return one("log.level", "debug");
    case "none":
      return one("log.level", "error");
    default:
      return one("log.level", level);
  }
}

/** In case of any error the specification wants the whole variable left out. */
function readResource(text: string): Reading {
  return readPairs(text, "resource.attributes");
}

function readPairs(text: string, path: string): Reading {
  const pairs = parsePairs(text);
  return pairs === undefined
    ? unusable("give name=text pairs with commas between them, and other commas as %2C")
    : one(path, pairs);
}

function readProtocol(text: string, path: string): Reading {
  if (text !== "http/json") return one(path, text);
  const note = "http/protobuf is spoken instead: receivers take both at the same address";
  return { kind: "values", values: [[path, "http/protobuf"]], note };
}

function readAggregation(text: string): Reading {
  const path = "metrics.histograms";
  switch (text.toLowerCase()) {
    case "explicit_bucket_histogram":
      return one(path, "explicit");
    case "base2_exponential_bucket_histogram":
      return one(path, "exponential");
    default:
      return unusable("give explicit_bucket_histogram or base2_exponential_bucket_histogram");
  }
}

function one(path: string, value: unknown): Reading {
  return { kind: "values", values: [[path, value]] };
}

function unusable(remedy: string): Reading {
  return { kind: "unusable", remedy };
}
