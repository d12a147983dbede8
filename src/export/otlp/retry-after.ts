/** Decodes a Retry-After header, seconds or a date, to ms from now; undefined where it is neither. */
export function parseRetryAfter(text: string | undefined, unixMs: number): number | undefined {
  if (text === undefined || text.trim() === "") return undefined;
  const seconds = Number(text);
  const ms = Number.isNaN(seconds) ? Date.parse(text) - unixMs : seconds * 1000;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
