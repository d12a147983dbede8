/** Seconds of a setting as milliseconds. */
export function milliseconds(seconds: number): number {
  return Math.round(seconds * 1000);
}

/** The specification lets a timeout of 0 stand for "without end"; the longest that a timer can wait is 24 days. */
export function timeoutMs(seconds: number): number {
  return seconds === 0 ? 2_147_483_647 : milliseconds(seconds);
}
