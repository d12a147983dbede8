/** The ways in which a record can be lost, counted over the window and over the whole host. */
export interface Losses {
  /** Records overwritten in the ring buffer before they were read. */
  readonly overrun: number;
  /** Runs of our kprobes that the kernel left out because of re-entry (kprobe_profile's misses). */
  readonly probeMisses: number;
  /** Records or pages that made no sense to the decoder. */
  readonly faults: number;
  /** Times that another program kept the probes from recording, until they were put back: each hides any number of records. */
  readonly gaps: number;
}

/** Nothing was lost. */
export const NO_LOSSES: Losses = { overrun: 0, probeMisses: 0, faults: 0, gaps: 0 };

/** Records that are missing for a known reason, at most. */
export function lostRecords({ overrun, probeMisses, faults, gaps }: Losses): number {
  return gaps > 0 ? Number.POSITIVE_INFINITY : overrun + probeMisses + faults;
}

/** The reasons in words, each with its number: `3 lost to buffer overrun, 1 probe run missed`. */
export function describeLosses({ overrun, probeMisses, faults, gaps }: Losses): string {
  const parts: string[] = [];
  if (overrun > 0) parts.push(`${overrun} lost to buffer overrun`);
  if (probeMisses > 0)
    parts.push(probeMisses === 1 ? "1 probe run missed" : `${probeMisses} probe runs missed`);
  if (faults > 0) parts.push(faults === 1 ? "1 decode fault" : `${faults} decode faults`);
  if (gaps > 0) parts.push(`probes switched off by another program ${gaps === 1 ? "once" : `${gaps} times`}`);
  return parts.join(", ");
}
