/** Seconds between two loads of the page by itself, where its address does not say. */
const DEFAULT_SECONDS = 5;
const MAX_SECONDS = 3600;

/** What `?refresh=` asks for, in seconds, 0 for never; anything else is the default. */
export function refreshSeconds(search: string): number {
  const asked = new URLSearchParams(search).get("refresh") ?? "";
  if (!/^\d{1,4}$/.test(asked)) return DEFAULT_SECONDS;
  return Math.min(Number(asked), MAX_SECONDS);
}
