import type { ExponentialHistogram, Histogram } from "@opentelemetry/sdk-metrics";
import { exponentialSince } from "./exponential-histogram.ts";

/** The value of a point in the SDK's form. */
export type OtlpValue = number | Histogram | ExponentialHistogram;

/** What was counted after `before`, an earlier value of the same series. */
export function valueSince(now: OtlpValue, before: OtlpValue): OtlpValue {
  if (typeof now === "number") return typeof before === "number" ? now - before : now;
  if (typeof before === "number") return now;
  const sum = (now.sum ?? 0) - (before.sum ?? 0);
  const count = now.count - before.count;
  if ("buckets" in now) {
    const earlier = "buckets" in before ? before.buckets.counts : [];
    const counts = now.buckets.counts.map((inBucket, i) => inBucket - (earlier[i] ?? 0));
    return { buckets: { boundaries: now.buckets.boundaries, counts }, sum, count };
  }
  if ("buckets" in before) return now;
  const { scale, zeroCount, offset, counts } = exponentialSince(ofPositive(now), ofPositive(before));
  return { ...now, sum, count, scale, zeroCount, positive: { offset, bucketCounts: [...counts] } };
}

/** A series' value at its birth. */
export function valueAtBirth(value: OtlpValue): OtlpValue {
  return valueSince(value, value);
}

/** Nothing was counted between two values of a series. */
export function isSameValue(now: OtlpValue, before: OtlpValue): boolean {
  if (typeof now === "number" || typeof before === "number") return now === before;
  return now.count === before.count;
}

function ofPositive({ scale, zeroCount, positive: { offset, bucketCounts } }: ExponentialHistogram) {
  return { scale, zeroCount, offset, counts: bucketCounts };
}
