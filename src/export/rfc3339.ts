const NANOS_PER_SECOND = 1_000_000_000n;

/**
 * Makes a formatter of Unix nanoseconds as RFC 3339 in UTC with nine fractional digits, which remembers the
 * last second: in a storm thousands of events share it.
 */
export function rfc3339Formatter(): (unixNanos: bigint) => string {
  const second = secondCache((unixSeconds) => new Date(unixSeconds * 1000).toISOString().slice(0, 20));
  return (unixNanos) => {
    const text = second(unixNanos);
    return `${text}${padNanos(second.nanos)}Z`;
  };
}

/** Makes a formatter of Unix nanoseconds as HH:MM:SS in a zone that is so many minutes east of UTC. */
export function timeOfDayFormatter(
  utcOffsetMinutes: (unixSeconds: number) => number,
): (unixNanos: bigint) => string {
  return secondCache((unixSeconds) => {
    const local = unixSeconds + utcOffsetMinutes(unixSeconds) * 60;
    return new Date(local * 1000).toISOString().slice(11, 19);
  });
}

interface SecondCache {
  (unixNanos: bigint): string;
  /** Nanoseconds into the second of the last call. */
  nanos: number;
}

function secondCache(format: (unixSeconds: number) => string): SecondCache {
  let start = -NANOS_PER_SECOND;
  let text = "";
  const cached = ((unixNanos) => {
    let nanos = Number(unixNanos - start);
    if (nanos < 0 || nanos >= 1e9 || text === "") {
      const unixSeconds = unixNanos / NANOS_PER_SECOND;
      start = unixSeconds * NANOS_PER_SECOND;
      nanos = Number(unixNanos - start);
      text = format(Number(unixSeconds));
    }
    cached.nanos = nanos;
    return text;
  }) as SecondCache;
  cached.nanos = 0;
  return cached;
}

function padNanos(nanos: number): string {
  return String(nanos).padStart(9, "0");
}
