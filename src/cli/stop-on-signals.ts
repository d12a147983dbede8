const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface StopOptions {
  /** Seconds after which to stop anyway. */
  readonly seconds: number | undefined;
  /** Stops when it aborts. */
  readonly signal?: AbortSignal;
}

/** Calls `stop` once, on a signal, after a time or when told; a second signal has its usual effect. */
export function stopOnSignals(stop: () => void, { seconds, signal }: StopOptions): Disposable {
  const timer = seconds === undefined ? undefined : setTimeout(stop, seconds * 1000);
  for (const name of SIGNALS) process.once(name, stop);
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted) stop();
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      for (const name of SIGNALS) process.off(name, stop);
      signal?.removeEventListener("abort", stop);
    },
  };
}
