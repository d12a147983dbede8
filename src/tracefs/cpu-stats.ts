/** What `per_cpu/cpuN/stats` says of one CPU's ring buffer (tracing_stats_read, kernel/trace/trace.c). */
export interface CpuStats {
  /** Records now in the buffer. */
  readonly entries: number;
  /** Records overwritten before anyone read them. */
  readonly overrun: number;
  /** Records lost to interrupts nested too deep for the buffer. */
  readonly commitOverrun: number;
  /** Records refused because the buffer was full: only with options/overwrite 0, which we never set. */
  readonly dropped: number;
  /** Records read so far. */
  readonly readEvents: number;
  /** The trace clock now, in nanoseconds, in steps of a microsecond. */
  readonly nowTs: bigint;
}

/** Parses a `stats` file; throws SyntaxError where a line is missing. */
export function parseCpuStats(text: string): CpuStats {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const colon = line.lastIndexOf(": ");
    if (colon > 0) values.set(line.slice(0, colon), line.slice(colon + 2).trim());
  }
  const value = (name: string): string => {
    const found = values.get(name);
    if (found === undefined) throw new SyntaxError(`Cannot parse CPU stats: no "${name}" line`);
    return found;
  };
  const count = (name: string): number => {
    const text_ = value(name);
    if (!/^\d{1,20}$/.test(text_)) throw new SyntaxError(`Cannot parse CPU stats: "${name}" is "${text_}"`);
    return Number(text_);
  };
  return {
    entries: count("entries"),
    overrun: count("overrun"),
    commitOverrun: count("commit overrun"),
    dropped: count("dropped events"),
    readEvents: count("read events"),
    nowTs: parseSeconds(value("now ts")),
  };
}

/** `  1120.016012`: seconds and six digits of microseconds, for the clocks that count in nanoseconds. */
function parseSeconds(text: string): bigint {
  const match = /^(\d+)\.(\d{6})$/.exec(text);
  if (match === null) throw new SyntaxError(`Cannot parse CPU stats: "now ts" is "${text}"`);
  return BigInt(`${match[1]}${match[2]}`) * 1000n;
}
