import type { Attributes } from "@opentelemetry/api";
import type { InstrumentationScope } from "@opentelemetry/core";
import type { Resource } from "@opentelemetry/resources";
import type { DataPoint, MetricData, ResourceMetrics } from "@opentelemetry/sdk-metrics";
import type { OutgoingMetric, OutgoingPoint } from "./otlp-metric-streams.ts";
import type { OtlpValue } from "./otlp-metric-values.ts";

/** One request: what is sent, and whom to tell when the receiver has it. */
export interface MetricRequest {
  readonly metrics: ResourceMetrics;
  readonly points: readonly OutgoingPoint[];
}

export interface RequestOptions {
  readonly resource: Resource;
  readonly scope: InstrumentationScope;
  /** Bytes of a request before compression. */
  readonly maxBytes: number;
}

/** Packs metrics into requests of at most so many bytes of protobuf; a point that alone is more goes by itself. */
export function metricRequests(
  metrics: readonly OutgoingMetric[],
  { resource, scope, maxBytes }: RequestOptions,
): readonly MetricRequest[] {
  const room = maxBytes - attributesBytes(resource.attributes) - scopeBytes(scope);
  const requests: MetricRequest[] = [];
  let parts: OutgoingMetric[] = [];
  let used = 0;
  const flush = () => {
    if (parts.length > 0) requests.push(request(parts, { resource, scope }));
    parts = [];
    used = 0;
  };
  for (const { metric, points } of metrics) {
    const head = headBytes(metric);
    let part: OutgoingPoint[] = [];
    for (const each of points) {
      const bytes = pointBytes(each.point) + (part.length === 0 ? head : 0);
      if (used + bytes > room && used > 0) {
        if (part.length > 0) parts.push({ metric, points: part });
        part = [];
        flush();
        used = head;
      }
      part.push(each);
      used += bytes;
    }
    if (part.length > 0) parts.push({ metric, points: part });
  }
  flush();
  return requests;
}

function request(
  parts: readonly OutgoingMetric[],
  { resource, scope }: Omit<RequestOptions, "maxBytes">,
): MetricRequest {
  // The SDK's types bind a metric's kind to its points' values; parts of one metric have what the whole had.
  const metrics = parts.map(
    ({ metric, points }) => ({ ...metric, dataPoints: points.map(({ point }) => point) }) as MetricData,
  );
  return {
    metrics: { resource, scopeMetrics: [{ scope, metrics }] },
    points: parts.flatMap(({ points }) => points),
  };
}

/** Bytes at most of tags and lengths around a string, a message or a number (opentelemetry/proto/metrics/v1). */
const MESSAGE = 6;
const FIXED64 = 9;

/** An upper bound of a scope's bytes, with all messages around it. */
function scopeBytes({ name, version = "", schemaUrl = "" }: InstrumentationScope): number {
  return 8 * MESSAGE + utf8(name) + utf8(version) + utf8(schemaUrl);
}

/** An upper bound of a metric's bytes without its points. */
function headBytes({ descriptor: { name, description, unit } }: MetricData): number {
  return 4 * MESSAGE + 3 * MESSAGE + utf8(name) + utf8(description) + utf8(unit);
}

/** An upper bound of a point's bytes. */
function pointBytes({ attributes, value }: DataPoint<OtlpValue>): number {
  const common = MESSAGE + 3 * FIXED64 + attributesBytes(attributes);
  if (typeof value === "number") return common;
  if ("buckets" in value) {
    const { boundaries, counts } = value.buckets;
    return common + 3 * FIXED64 + 2 * MESSAGE + 8 * (boundaries.length + counts.length);
  }
  return common + 6 * FIXED64 + 4 * MESSAGE + 8 * value.positive.bucketCounts.length;
}

/** An upper bound of the bytes of attributes: a message, its key, and a message with its value. */
function attributesBytes(attributes: Attributes): number {
  let bytes = 0;
  for (const [key, value] of Object.entries(attributes)) {
    const content =
      typeof value === "string" ? utf8(value) : Array.isArray(value) ? arrayBytes(value) : FIXED64;
    bytes += 4 * MESSAGE + utf8(key) + content;
  }
  return bytes;
}

function arrayBytes(values: readonly unknown[]): number {
  return values.reduce<number>((sum, value) => sum + 2 * MESSAGE + utf8(String(value)) + FIXED64, 0);
}

function utf8(text: string): number {
  return Buffer.byteLength(text);
}
