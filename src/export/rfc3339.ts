const NANOS_PER_SECOND = 1_000_000_000n;

/** Formats the moment that is so many nanoseconds after a Unix time in nanoseconds. */
export type MomentFormatter = (unixNanos: bigint, sinceNanos?: number) => string;

/**
 * Makes a formatter of moments as RFC 3339 in UTC with nine fractional digits, which remembers the
 * last second: in a storm thousands of events share it.
 */
export function rfc3339Formatter(): MomentFormatter {
  const second = secondCache((unixSeconds) => new Date(unixSeconds * 1000).toISOString().slice(0, 20));
  return (unixNanos, sinceNanos) => {
    const text = second(unixNanos, sinceNanos);
    return `${text}${nineDigits(second.nanos)}Z`;
  };
}

/** Makes a formatter of moments as HH:MM:SS in a zone that is so many minutes east of UTC. */
export function timeOfDayFormatter(utcOffsetMinutes: (unixSeconds: number) => number): MomentFormatter {
  return secondCache((unixSeconds) => {
    const local = unixSeconds + utcOffsetMinutes(unixSeconds) * 60;
    return new Date(local * 1000).toISOString().slice(11, 19);
  });
}

interface SecondCache extends MomentFormatter {
  /** Nanoseconds into the second of the last call. */
  nanos: number;
}

/** A bigint costs an object: they are reckoned with where the second or the Unix time changes, and not for each moment. */
function secondCache(format: (unixSeconds: number) => string): SecondCache {
  let start = -NANOS_PER_SECOND;
  let last = 0n;
  let lastNanos = Number.NaN; // from `start` to `last`
  let text = "";
  const cached = ((unixNanos, sinceNanos = 0) => {
    if (unixNanos !== last) {
      last = unixNanos;
      lastNanos = Number(last - start);
    }
    let nanos = lastNanos + sinceNanos;
    if (!(nanos >= 0 && nanos < 1e9)) {
      const moment = last + BigInt(sinceNanos);
      const unixSeconds = moment / NANOS_PER_SECOND;
      start = unixSeconds * NANOS_PER_SECOND;
      lastNanos = Number(last - start);
      nanos = Number(moment - start);
      text = format(Number(unixSeconds));
    }
    cached.nanos = nanos;
    return text;
  }) as SecondCache;
  cached.nanos = 0;
  return cached;
}

/** `000` to `999`. */
const THREE_DIGITS = Array.from({ length: 1000 }, (_, number) => String(number).padStart(3, "0"));

function nineDigits(number: number): string {
  const thousands = Math.floor(number / 1000);
  const millions = Math.floor(number / 1e6);
  return `${THREE_DIGITS[millions]}${THREE_DIGITS[thousands % 1000]}${THREE_DIGITS[number % 1000]}`;
}
