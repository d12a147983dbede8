export interface StopOptions {
  /** Seconds after which to stop. */
  readonly seconds: number | undefined;
  /** Stops when it aborts, or has. */
  readonly signal: AbortSignal;
}

/** Calls `stop` after a time or when told; disposed, it does neither. */
export function stopWhen(stop: () => void, { seconds, signal }: StopOptions): Disposable {
  const timer = seconds === undefined ? undefined : setTimeout(stop, seconds * 1000);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    },
  };
}
