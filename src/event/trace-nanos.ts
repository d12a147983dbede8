/**
 * Nanoseconds of the trace clock (`mono`, CLOCK_MONOTONIC) since the capture's epoch.
 * A plain number, exact for 104 days (2^53 ns) after the epoch and within 2 ns for the next 104.
 */
export type TraceNanos = number & { readonly __brand: "TraceNanos" };

/** Marks a number as a time of the trace clock since the epoch. */
export function traceNanos(value: number): TraceNanos {
  return value as TraceNanos;
}
