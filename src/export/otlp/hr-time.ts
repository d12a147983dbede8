import type { HrTime } from "@opentelemetry/api";

/** ns of Unix time as the SDK takes them: seconds, and ns beside. */
export function hrTime(unixNanos: bigint): HrTime {
  return [Number(unixNanos / 1_000_000_000n), Number(unixNanos % 1_000_000_000n)];
}
