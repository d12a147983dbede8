/** From the most talkative to the least. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** One thing said. */
export interface LogEntry {
  readonly level: LogLevel;
  readonly component: string;
  readonly message: string;
  /** How often it came since it was said last, beside this once. */
  readonly repeated: number;
  /** What was thrown; undefined where nothing was. */
  readonly cause: unknown;
}
