const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A second signal so soon is the first one again: the terminal sends it to the whole group, and npm passes it on. */
const ECHO_MS = 1000;

/** How the outside ends a command; disposed, signals have their usual effect again. */
export interface EndingSignals extends Disposable {
  /** Aborts on the first signal. */
  readonly first: AbortSignal;
  /** Aborts on another, later one: whoever sends it does not want to wait. */
  readonly again: AbortSignal;
}

/** Catches the signals that end a command until it has cleaned up: none of them kills it half way. */
export function catchSignals(): EndingSignals {
  const [first, again] = [new AbortController(), new AbortController()];
  let firstMs = 0;
  const onSignal = () => {
    const nowMs = performance.now();
    if (!first.signal.aborted) {
      firstMs = nowMs;
      first.abort();
    } else if (nowMs - firstMs >= ECHO_MS) again.abort();
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    first: first.signal,
    again: again.signal,
    [Symbol.dispose]: () => {
      for (const name of SIGNALS) process.off(name, onSignal);
    },
  };
}
