import type { OtlpTarget } from "./config.ts";
import { timeoutMs } from "./durations.ts";
import type { Settings } from "./schema.ts";

/** Signals by their OTLP names; each has a path of its own over HTTP. */
export const SIGNALS = ["logs", "metrics", "traces"] as const;

export type Signal = (typeof SIGNALS)[number];

/** Where each signal goes: its own keys win over those of all signals; `atMostMs` bounds one attempt. */
export function joinTargets(
  otlp: Settings["otlp"],
  atMostMs: Readonly<Record<Signal, number>>,
): Readonly<Record<Signal, OtlpTarget>> {
  const target = (signal: Signal) => joinTarget(otlp, { signal, atMostMs: atMostMs[signal] });
  return { logs: target("logs"), metrics: target("metrics"), traces: target("traces") };
}

function joinTarget(
  otlp: Settings["otlp"],
  { signal, atMostMs }: { readonly signal: Signal; readonly atMostMs: number },
): OtlpTarget {
  const own = otlp[signal];
  const protocol = own.protocol ?? otlp.protocol;
  const insecure = own.insecure ?? otlp.insecure;
  const endpoint =
    protocol === "grpc"
      ? grpcEndpoint(own.endpoint ?? otlp.endpoint ?? "http://localhost:4317", insecure)
      : httpEndpoint(own.endpoint, { base: otlp.endpoint ?? "http://localhost:4318", signal });
  return {
    protocol,
    endpoint,
    insecure: !endpoint.startsWith("https://"),
    headers: lowerCased({ ...lowerCased(otlp.headers), ...lowerCased(own.headers ?? {}) }),
    timeoutMs: Math.min(timeoutMs(own.timeoutSeconds ?? otlp.timeoutSeconds), atMostMs),
    compression: own.compression ?? otlp.compression,
    certificate: own.certificate ?? otlp.certificate,
    clientCertificate: own.clientCertificate ?? otlp.clientCertificate,
    clientKey: own.clientKey ?? otlp.clientKey,
  };
}

/** host:port becomes a URL; a socket's path stays as it is, and has no TLS. */
function grpcEndpoint(endpoint: string, insecure: boolean): string {
  if (/^(https?:\/\/|unix:)/.test(endpoint)) return endpoint;
  return `${insecure ? "http" : "https"}://${endpoint}`;
}

/** A signal's own URL is used as it is, with / where it has no path; the common one is a base. */
function httpEndpoint(
  own: string | undefined,
  { base, signal }: { readonly base: string; readonly signal: Signal },
): string {
  if (own !== undefined) return /^[a-z]+:\/\/[^/?]+$/.test(own) ? `${own}/` : own;
  const [path = "", ...query] = base.split("?");
  const url = `${path.endsWith("/") ? path : `${path}/`}v1/${signal}`;
  return query.length === 0 ? url : `${url}?${query.join("?")}`;
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
