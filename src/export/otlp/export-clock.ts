/** Time and chance as exports use them; tests run them faster. */
export interface ExportClock {
  /** Milliseconds that never go backwards, from any beginning. */
  monotonicMs(): number;
  /** Waits; ends early, without an error, when the signal does. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** From 0 up to 1, as Math.random. */
  random(): number;
}

/** Takes words about exports, for the program's own log. */
export interface ExportLog {
  info(message: string): void;
  warn(message: string): void;
}
