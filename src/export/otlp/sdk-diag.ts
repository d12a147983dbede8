import { inspect } from "node:util";
import { type DiagLogger, DiagLogLevel, diag } from "@opentelemetry/api";
import type { ExportLog } from "./export-clock.ts";
import type { PartialSuccess } from "./partial-success.ts";
import { quoted } from "./send-result.ts";

/** What OTEL_LOG_LEVEL can say. */
export type SdkLogLevel = "none" | "error" | "warn" | "info" | "debug" | "verbose" | "all";

const LEVELS: Readonly<Record<SdkLogLevel, number>> = {
  none: DiagLogLevel.NONE,
  error: DiagLogLevel.ERROR,
  warn: DiagLogLevel.WARN,
  info: DiagLogLevel.INFO,
  debug: DiagLogLevel.DEBUG,
  verbose: DiagLogLevel.VERBOSE,
  all: DiagLogLevel.ALL,
};

/** The SDK's words for a partial success, which its exporters tell nobody else (otlp-exporter-base, logging-response-handler). */
const PARTIAL_SUCCESS = "Received Partial Success response:";

const WHOLE: PartialSuccess = { rejected: 0, message: "" };

/** What the SDK says of itself. */
export interface SdkDiag {
  /** The partial success said since the last call, if any: to be asked for in an exporter's callback, which follows at once. */
  takePartialSuccess(): PartialSuccess;
}

/** Listens to the SDK: keeps partial successes for whoever sent, the rest goes up to a level to the program's log. */
export function listenToSdk(log: ExportLog, level: SdkLogLevel): SdkDiag {
  let partial = WHOLE;
  const sayAt = (atLeast: number, sink: (message: string) => void) => {
    return (message: string, ...rest: unknown[]) => {
      if (LEVELS[level] < atLeast) return;
      const words = rest.map((part) => (typeof part === "string" ? part : inspect(part, { depth: 2 })));
      sink(sentenceOf([plainWords(message), ...words].join(" ")));
    };
  };
  const sayWarning = sayAt(DiagLogLevel.WARN, (message) => log.warn(message));
  const logger: DiagLogger = {
    error: sayAt(DiagLogLevel.ERROR, (message) => log.warn(message)),
    warn: (message, ...rest) => {
      if (message === PARTIAL_SUCCESS) partial = parsePartialSuccess(String(rest[0]));
      else sayWarning(message, ...rest);
    },
    info: sayAt(DiagLogLevel.INFO, (message) => log.info(message)),
    debug: sayAt(DiagLogLevel.DEBUG, (message) => log.info(message)),
    verbose: sayAt(DiagLogLevel.VERBOSE, (message) => log.info(message)),
  };
  const logLevel = Math.max(DiagLogLevel.WARN, LEVELS[level]);
  diag.setLogger(logger, { logLevel, suppressOverrideMessage: true });
  return {
    takePartialSuccess: () => {
      const taken = partial;
      partial = WHOLE;
      return taken;
    },
  };
}

/** What the SDK's reader says around the sentence of an exporter of ours (sdk-metrics, PeriodicExportingMetricReader). */
const FAILED_EXPORT = /^PeriodicExportingMetricReader: metrics export failed \(error (?:Error: )?(.*)\)$/s;

/** A sentence of ours goes on as it is, the SDK's own words in its name. */
function sentenceOf(words: string): string {
  const ours = FAILED_EXPORT.exec(words)?.[1];
  return ours ?? `OpenTelemetry SDK: ${quoted(words)}`;
}

/** Its handler of errors gives an error as JSON of all its properties, the stack first (core, logging-error-handler). */
function plainWords(message: string): string {
  if (!message.startsWith("{")) return message;
  try {
    const { message: words }: { readonly message?: unknown } = JSON.parse(message);
    return typeof words === "string" ? words : message;
  } catch {
    return message;
  }
}

/** `{"rejectedSpans":2,"errorMessage":"…"}`: the count's name is the signal's. */
function parsePartialSuccess(json: string): PartialSuccess {
  const parsed: Readonly<Record<string, unknown>> = JSON.parse(json);
  const count = Object.values(parsed).find((value) => typeof value === "number");
  const message = parsed["errorMessage"];
  return { rejected: count ?? 0, message: typeof message === "string" ? message : "" };
}
