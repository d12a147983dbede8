/** A signal as OTLP names it: in paths, in `OTEL_EXPORTER_OTLP_*` and in what is said about it. */
export type Signal = "logs" | "traces" | "metrics";

/** How one signal leaves over OTLP: complete, with no defaults left to fill in and no environment left to read. */
export interface OtlpSettings {
  readonly protocol: "grpc" | "http/protobuf";
  /** `http(s)://host:port`, for gRPC also `host:port` or `unix:/path`. */
  readonly endpoint: string;
  /** The endpoint is this signal's own (OTEL_EXPORTER_OTLP_LOGS_ENDPOINT), so that http/protobuf adds no path to it. */
  readonly isSignalEndpoint: boolean;
  /** Sent with each request; values are secrets. */
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly compression: "gzip" | "none";
  /** Of an endpoint without a scheme: no TLS. */
  readonly insecure: boolean;
  /** Files in PEM; read anew when they change. */
  readonly certificate: string | undefined;
  readonly clientCertificate: string | undefined;
  readonly clientKey: string | undefined;
}

/** Where a signal goes. */
export type SignalExport =
  | { readonly exporter: "otlp"; readonly otlp: OtlpSettings }
  | { readonly exporter: "console" }
  | { readonly exporter: "none" };

/** Where requests go. */
export interface OtlpTarget {
  readonly signal: Signal;
  /** For people and for logs: without credentials. */
  readonly shown: string;
  readonly secure: boolean;
  /** http/protobuf: the whole URL. gRPC: `host:port`, or `unix:///path`. */
  readonly address: string;
}

/** Works out where a signal's requests go. */
export function otlpTarget(signal: Signal, settings: OtlpSettings): OtlpTarget {
  const { endpoint, insecure } = settings;
  if (endpoint.startsWith("unix:")) {
    // The SDK's exporters know only the longer form, grpc-js both.
    const address = endpoint.replace(/^unix:(?!\/\/)/, "unix://");
    return { signal, shown: address, secure: false, address };
  }
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(endpoint);
  const url = new URL(hasScheme ? endpoint : `${insecure ? "http" : "https"}://${endpoint}`);
  const secure = url.protocol === "https:";
  if (settings.protocol === "http/protobuf") {
    if (!settings.isSignalEndpoint) url.pathname = `${url.pathname.replace(/\/+$/, "")}/v1/${signal}`;
    return { signal, shown: `${url.protocol}//${url.host}${url.pathname}`, secure, address: url.href };
  }
  // URL takes a scheme's own port out, for which gRPC would put 443 in.
  const address = url.port === "" ? `${url.hostname}:${secure ? 443 : 80}` : url.host;
  return { signal, shown: `${url.protocol}//${address}`, secure, address };
}
