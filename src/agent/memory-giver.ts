/** What the process has used and how it gives memory back. */
export interface MemoryGiverOptions {
  /** CPU used so far, in microseconds. */
  readonly cpuUs: () => number;
  /** Resident, without the pages of files: of those comes back what is in use. */
  readonly ownBytes: () => number;
  /** Collects garbage and hands free memory to the kernel: takes some 50 ms, in which nothing else runs. */
  readonly giveBack: () => void;
  /** Gives back pages of files that are not in use: takes a few ms. */
  readonly unmap: () => void;
  /** Collects garbage alone. */
  readonly collect: () => void;
}

/** Seconds that must be quiet, and what of a core that is. */
const QUIET_SECONDS = 10;
const QUIET_SHARE = 0.05;
/** Less is not worth a collection. */
const GROWN_BYTES = 8 * 1024 * 1024;
/** While there is work. V8 would let the storm's log records, old when they are sent, pile up to three times as much as lives. */
const GROWN_AT_WORK_BYTES = 32 * 1024 * 1024;
/** And since the collection before: each makes the events after it dearer by up to a quarter, for V8 lets go of code with it. */
const PILED_UP_BYTES = 4 * 1024 * 1024;

/**
 * Collects garbage when much has piled up, and gives back, once it is quiet, what the start, a list or a storm has
 * needed: V8 keeps a young generation as large as it was ever needed while nothing is allocated, and malloc keeps its
 * heap. Pages of files are given back once more ten quiet seconds later: a collection lets go of code too, and what
 * compiles it anew is needed only then. To be called once a second.
 */
export function memoryGiver({ cpuUs, ownBytes, giveBack, unmap, collect }: MemoryGiverOptions): () => void {
  let seconds = 0;
  let usedUs = cpuUs();
  let settledBytes = 0;
  let collectedBytes = 0;
  let isSettling = false;
  return () => {
    if (++seconds % QUIET_SECONDS !== 0) return;
    const before = usedUs;
    usedUs = cpuUs();
    const isAtWork = usedUs - before > QUIET_SECONDS * QUIET_SHARE * 1e6;
    const bytes = ownBytes();
    collectedBytes = Math.min(collectedBytes, bytes);
    if (isAtWork) {
      if (bytes - settledBytes < GROWN_AT_WORK_BYTES || bytes - collectedBytes < PILED_UP_BYTES) return;
      collect();
      collectedBytes = ownBytes();
      return;
    }
    const hasGrown = bytes - settledBytes >= GROWN_BYTES;
    if (hasGrown) {
      giveBack();
      settledBytes = ownBytes();
    } else if (isSettling) unmap();
    else return;
    isSettling = hasGrown;
    usedUs = cpuUs();
  };
}
