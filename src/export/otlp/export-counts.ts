/** Why a record or span did not reach anyone. */
export const DROP_REASONS = ["queue_full", "rejected", "non_retryable", "shutdown"] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** What became of the records or spans of one signal since the start. */
export interface ExportCounts {
  /** Taken by the server, or printed. */
  readonly exported: number;
  /** By reason. Exported, dropped and waiting add up to all that there were. */
  readonly dropped: Readonly<Record<DropReason, number>>;
  /** Requests that failed, each time, by code. */
  readonly failures: ReadonlyMap<string, number>;
  /** What went wrong last, as a sentence; undefined since something was taken. */
  readonly problem: string | undefined;
  /** Waiting to be sent now. */
  readonly waitingRecords: number;
  /** Memory that these take, encoded and compressed. */
  readonly waitingBytes: number;
}
