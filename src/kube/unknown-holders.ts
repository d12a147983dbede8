import type { Hold } from "./address-intervals.ts";
import type { Horizon } from "./horizon.ts";
import type { PodEntry } from "./pod-entry.ts";
import type { PodHolds } from "./pod-holds.ts";
import type { Tombstones } from "./tombstones.ts";
import type { WaitingPods } from "./waiting-pods.ts";

export interface UnknownHoldersOptions {
  readonly tombstones: Tombstones;
  /** How long after a pod's first packet its kubelet may tell of its address. */
  readonly statusLagMs: number;
  readonly horizon: Horizon;
  readonly waiting: WaitingPods;
  readonly holds: Pick<PodHolds, "isNewest">;
}

/** An end may be told so long after it, and that of one that is deleted by force so long before. */
const TELLING_MS = 10_000;

/** Whether a moment for which a hold is known may be the time of a pod that is not: one forgotten, or not told of yet. */
export class UnknownHolders {
  readonly #options: UnknownHoldersOptions;
  #nowMs = Number.NEGATIVE_INFINITY;

  constructor(options: UnknownHoldersOptions) {
    this.#options = options;
  }

  /** Tells what time it is, as far as anything that is told says so. */
  advance(nowMs: number): void {
    if (nowMs > this.#nowMs) this.#nowMs = nowMs;
  }

  /** Whether any may have been meant. Without the address the hold is taken for the last that is known. */
  any(hold: Hold<PodEntry>, unixMs: number, { address }: { readonly address?: string } = {}): boolean {
    if (unixMs > this.#options.horizon.ms || this.forgotten(hold, unixMs)) return true;
    return this.#untold(hold, unixMs, address);
  }

  /**
   * Whether one that is forgotten, after its time or to make room, may have been meant: since this one let go of the
   * address, or before it certainly had it; of those that had to make room also since then, if it may have let go.
   */
  forgotten(hold: Hold<PodEntry>, unixMs: number): boolean {
    const { tombstones, statusLagMs } = this.#options;
    const { bounds, droppedUntilMs, areShort } = tombstones;
    const { releasedMs } = hold;
    const forgottenMs = this.#nowMs - bounds.keepMs;
    if (releasedMs !== undefined && unixMs >= releasedMs) {
      // Its successor's end may have been told of before its own.
      return releasedMs - TELLING_MS <= droppedUntilMs || releasedMs - statusLagMs < forgottenMs;
    }
    if (unixMs < hold.certainMs) return areShort || hold.earliestMs - TELLING_MS <= forgottenMs;
    if (unixMs < hold.lastSureMs || hold.lasts) return false;
    return unixMs - TELLING_MS <= droppedUntilMs || (releasedMs !== undefined && unixMs < forgottenMs);
  }

  /**
   * Whether a pod that the API has not told the address of may have had this one: on the same node, so short a time ago
   * that its kubelet need not have told yet, and after the last holder, if that may have let go of it, or before one
   * that need not have had it.
   */
  #untold(hold: Hold<PodEntry>, unixMs: number, address: string | undefined): boolean {
    const { waiting, statusLagMs, holds } = this.#options;
    const { nodeName, mayHaveEnded } = hold.holder;
    if (waiting.count === 0 || nodeName === undefined) return false;
    if (unixMs < this.#nowMs - statusLagMs) return false;
    if (unixMs < hold.certainMs && waiting.anyOver(nodeName, unixMs)) return true;
    const mayBeOver = (mayHaveEnded || hold.releasedMs !== undefined) && unixMs >= hold.lastSureMs;
    if (!mayBeOver || !waiting.any(nodeName, unixMs)) return false;
    return address === undefined || holds.isNewest(address, hold);
  }
}
