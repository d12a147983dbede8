import { setTimeout as sleep } from "node:timers/promises";

/** Asks again and again until the answer is neither undefined nor false; a question that throws counts as no answer. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  { timeoutMs = 120_000, everyMs = 100 }: { readonly timeoutMs?: number; readonly everyMs?: number } = {},
): Promise<T> {
  const end = performance.now() + timeoutMs;
  let why = "";
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      why = error instanceof Error ? `: ${error.message}` : "";
    }
    if (performance.now() > end) throw new Error(`Cannot wait longer for ${what}: ${timeoutMs} ms${why}`);
    await sleep(everyMs);
  }
}
