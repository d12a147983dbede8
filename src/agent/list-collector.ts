export interface ListCollectorOptions {
  /** Resident, without the pages of files. */
  readonly ownBytes: () => number;
  /** Bytes of lists that have come in so far; undefined while none is awaited. */
  readonly listedBytes: () => number | undefined;
  /** Collects garbage and hands free memory to the kernel: takes some 25 ms, in which nothing else runs. */
  readonly collect: () => void;
}

/** Less is not worth a collection. */
const GROWN_BYTES = 8 * 1024 * 1024;

/**
 * Collects, while lists come in, what they have left behind: of 8 KB of a pod 0.2 are kept, and what of the rest V8 takes
 * for old it would let lie until long after the list. To be called a few times a second.
 */
export function listCollector({ ownBytes, listedBytes, collect }: ListCollectorOptions): () => void {
  let seenBytes = 0;
  let leftBytes = 0;
  return () => {
    const bytes = listedBytes();
    if (bytes === undefined) leftBytes = 0;
    if (bytes === undefined || bytes === seenBytes) return;
    seenBytes = bytes;
    if (ownBytes() - leftBytes < GROWN_BYTES) return;
    collect();
    leftBytes = ownBytes();
  };
}
