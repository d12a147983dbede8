/** Names of gRPC's status codes, by number. */
const GRPC_CODES: readonly string[] = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
];

/** The receiver has looked at the request and will never have what it refused of it; Prometheus has taken the rest. */
const REFUSED: ReadonlySet<string> = new Set(["INVALID_ARGUMENT", "400"]);
/** It is too much at once. */
const TOO_MUCH: ReadonlySet<string> = new Set(["RESOURCE_EXHAUSTED", "413"]);

/** What the SDK's exporters say without a code (otlp-exporter-base). */
const WITHOUT_CODE: Readonly<Record<string, string>> = {
  "Request timed out": "timeout",
  "Export failed with retryable status": "retryable",
};

/** The code of a failed export, of a set that is small: gRPC's name, an HTTP status, a name of Node's, or a word. */
export function exportErrorCode(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as { readonly code?: unknown };
    if (typeof code === "number")
      return GRPC_CODES[code] ?? (code >= 100 && code < 600 ? `${code}` : "other");
    if (typeof code === "string" && /^[A-Z][A-Z0-9_]+$/.test(code)) return code;
    const word = WITHOUT_CODE[cause.message];
    if (word !== undefined) return word;
  }
  return "other";
}

/** The receiver refused some or all of what is in a request, and would again. */
export function isRefusal(code: string): boolean {
  return REFUSED.has(code);
}

/** The next request may fare better at once. */
export function isOfOneRequest(code: string): boolean {
  return REFUSED.has(code) || TOO_MUCH.has(code);
}
