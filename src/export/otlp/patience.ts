/** Ends a request when it is to stop, or has taken too long. */
export interface Patience {
  readonly signal: AbortSignal;
  /** It has taken too long. */
  isOver(): boolean;
  /** The request has ended. */
  end(): void;
}

/** Begins to wait for a request. */
export function patience(stop: AbortSignal, ms: number): Patience {
  const controller = new AbortController();
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
    controller.abort();
  }, ms);
  const onStop = () => controller.abort();
  if (stop.aborted) onStop();
  // Not AbortSignal.any(): `stop` lives as long as the process, and would hold what was made of it.
  stop.addEventListener("abort", onStop, { once: true });
  return {
    signal: controller.signal,
    isOver: () => isOver,
    end: () => {
      clearTimeout(timer);
      stop.removeEventListener("abort", onStop);
    },
  };
}
