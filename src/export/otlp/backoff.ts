/** First ceiling; it doubles with each failure. */
const BASE_MS = 1_000;
const CAP_MS = 30_000;
/** A server that asks for longer than this is not taken at its word. */
const LONGEST_ASKED_MS = 600_000;

/** The wait before the next try, in ms: exponential with full jitter, and never less than the server asked for. */
export function backoffMs(failures: number, random: number, afterMs = 0): number {
  const ceilingMs = Math.min(CAP_MS, BASE_MS * 2 ** Math.min(Math.max(0, failures - 1), 16));
  return Math.min(Math.max(0, afterMs), LONGEST_ASKED_MS) + random * ceilingMs;
}
