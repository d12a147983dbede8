import { hostPort } from "../cluster/plan.ts";

/** Where one receiver listens. */
export interface ReceiverPorts {
  readonly grpc: number;
  readonly http: number;
}

/** Certificate files of a receiver with TLS; with `clientCa` it takes known clients only. Each is read again when it changes. */
export interface ReceiverTls {
  readonly cert: string;
  readonly key: string;
  readonly clientCa?: string;
}

export interface CollectorSettings {
  readonly host: string;
  readonly plain: ReceiverPorts;
  readonly tls?: { readonly ports: ReceiverPorts; readonly files: ReceiverTls };
  readonly mtls?: { readonly ports: ReceiverPorts; readonly files: ReceiverTls };
  /** Of the prometheus exporter, which is to be scraped. */
  readonly metricsPort: number;
  /** Of 127.0.0.1, which gets log records and spans over OTLP/HTTP. */
  readonly sinkPort: number;
  /** Of Prometheus, whose OTLP receiver gets the metrics too. */
  readonly prometheusUrl?: string;
}

/** The request that an exporter makes is over before the receiver answers: what is acknowledged has arrived, and is lost by no restart. */
const AT_ONCE = { sending_queue: { enabled: false }, retry_on_failure: { enabled: false } };

/** The Collector's configuration, as an object for JSON, which is YAML as well. */
export function collectorSettings(settings: CollectorSettings): object {
  const { host, plain, tls, mtls, metricsPort, sinkPort, prometheusUrl } = settings;
  const receivers = {
    otlp: receiver(host, plain),
    ...(tls && { "otlp/tls": receiver(host, tls.ports, tls.files) }),
    ...(mtls && { "otlp/mtls": receiver(host, mtls.ports, mtls.files) }),
  };
  const toPrometheus = prometheusUrl && {
    "otlp_http/prometheus": {
      metrics_endpoint: `${prometheusUrl}/api/v1/otlp/v1/metrics`,
      ...AT_ONCE,
    },
  };
  const pipeline = (...exporters: readonly string[]) => ({ receivers: Object.keys(receivers), exporters });
  return {
    receivers,
    exporters: {
      debug: { verbosity: "basic" },
      "debug/spans": { verbosity: "detailed" },
      "otlp_http/sink": { endpoint: `http://127.0.0.1:${sinkPort}`, ...AT_ONCE },
      prometheus: { endpoint: hostPort(host, metricsPort), metric_expiration: "10s" },
      ...toPrometheus,
    },
    service: {
      pipelines: {
        logs: pipeline("debug", "otlp_http/sink"),
        traces: pipeline("debug/spans", "otlp_http/sink"),
        metrics: pipeline("debug", "prometheus", ...Object.keys(toPrometheus ?? {})),
      },
      telemetry: { metrics: { level: "none" }, logs: { level: "info" } },
    },
  };
}

function receiver(host: string, { grpc, http }: ReceiverPorts, files?: ReceiverTls): object {
  const tls = files && {
    tls: {
      cert_file: files.cert,
      key_file: files.key,
      reload_interval: "1s",
      ...(files.clientCa && { client_ca_file: files.clientCa, client_ca_file_reload: true }),
    },
  };
  return {
    protocols: {
      grpc: { endpoint: hostPort(host, grpc), ...tls },
      http: { endpoint: hostPort(host, http), ...tls },
    },
  };
}
