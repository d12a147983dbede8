import type { Rung } from "../../src/event/tcp-event.ts";

/** What the guest can do: one of each kind of retransmit, and disturbances of the real program on kprobes. */
export const GROUPS = ["scenarios", "ends"] as const;
export type Group = (typeof GROUPS)[number];

/** What the host asks of the guest, in its output directory as order.json. */
export interface GuestOrder {
  readonly groups: readonly Group[];
  readonly rungs: readonly Rung[];
  /** All when undefined. */
  readonly scenarios: readonly string[] | undefined;
}

/** One comparison; `problem` says what differs. */
export interface Check {
  /** A rung, or who else was looked at. */
  readonly rung: Rung | "witness" | "rows" | "ends" | "all";
  /** 0: not of one family. */
  readonly family: 0 | 4 | 6;
  readonly scenario: string;
  readonly problem: string | undefined;
  /** What the rung shows of it, for the table. */
  readonly shown?: string;
}

/** What the guest gives back as report.json. */
export interface GuestReport {
  readonly release: string;
  readonly checks: readonly Check[];
}
