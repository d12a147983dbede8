import type { Settings } from "./schema.ts";

/** A place to send to, or none. */
export type Exporter = "otlp" | "console" | "none";

/** How one signal leaves over OTLP: variables, file and defaults are joined, and the signal's own keys have won. */
export interface OtlpTarget {
  readonly protocol: "grpc" | "http/protobuf";
  /**
   * http/protobuf: the whole URL to POST to, with the signal's path. gRPC: http://host:port, https://host:port or
   * unix:path.
   */
  readonly endpoint: string;
  /** Without TLS: all but https:// (the setting is in it already). */
  readonly insecure: boolean;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** For one attempt. */
  readonly timeoutMs: number;
  readonly compression: "gzip" | "none";
  /** PEM files, to be read again when they change. */
  readonly certificate: string | undefined;
  readonly clientCertificate: string | undefined;
  readonly clientKey: string | undefined;
}

/** How records are gathered and how many may wait. */
export interface BatchSettings {
  readonly delayMs: number;
  /** In one request; never more than `queueRecords`. */
  readonly maxRecords: number;
  readonly queueRecords: number;
}

/** What the attributes of one record are cut to. */
export interface AttributeLimits {
  readonly attributeCount: number;
  /** Characters of a text; undefined for no limit. */
  readonly attributeLength: number | undefined;
}

type Section<K extends keyof Settings> = DeepReadonly<Settings[K]>;

/** What the agent runs with: complete, joined and frozen. */
export interface Config {
  readonly kubernetes: Section<"kubernetes">;
  readonly names: Section<"names">;
  readonly host: Section<"host">;
  readonly capture: Section<"capture">;
  readonly http: Section<"http">;
  readonly events: Section<"events">;
  readonly log: Section<"log">;
  readonly metrics: Omit<Section<"metrics">, "exporter" | "intervalSeconds" | "exportTimeoutSeconds"> & {
    readonly exporter: Exporter;
    readonly intervalMs: number;
    /** For one push, whatever the exporter. */
    readonly exportTimeoutMs: number;
  };
  readonly logs: Omit<Section<"logs">, "exporter" | "batch" | "limits"> & {
    readonly exporter: Exporter;
    readonly batch: BatchSettings;
    readonly limits: AttributeLimits;
  };
  readonly traces: Omit<Section<"traces">, "exporter" | "batch" | "limits"> & {
    readonly exporter: Exporter;
    readonly batch: BatchSettings;
    readonly limits: AttributeLimits & { readonly eventAttributeCount: number };
  };
  readonly otlp: { readonly logs: OtlpTarget; readonly metrics: OtlpTarget; readonly traces: OtlpTarget };
  readonly queue: Section<"queue">;
  readonly resource: {
    readonly mode: "agent" | "pod";
    readonly serviceName: string;
    readonly clusterName: string | undefined;
    /** Without service.name and k8s.cluster.name. */
    readonly attributes: Readonly<Record<string, string>>;
  };
  readonly shutdown: Section<"shutdown">;
  readonly demo: boolean;
}

type DeepReadonly<T> = T extends readonly (infer U)[]
  ? readonly DeepReadonly<U>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;
