import type { PageLayout } from "./page-layout.ts";

/** Why the rest of a page could not be read. */
export const PAGE_FAULTS = [
  /** Fewer bytes than the page's header. */
  "short-page",
  /** `commit` says more bytes than there are. */
  "commit-overflow",
  /** A record's header or its length word goes beyond `commit`. */
  "short-header",
  /** A data record whose length word leaves no payload. */
  "zero-length",
  /** A record's payload goes beyond `commit`. */
  "end-overflow",
  /** Padding without a length; the kernel writes it only beyond `commit`. */
  "null-padding",
  /** Padding whose length does not even hold the length word. */
  "bad-padding",
] as const;
export type PageFault = (typeof PAGE_FAULTS)[number];

/** The trace clock's value that times are counted from: a u64 as two u32. */
export interface PageEpoch {
  readonly hi: number;
  readonly lo: number;
}

/** What one page held. */
export interface PageResult {
  /** Data records visited. */
  readonly records: number;
  /** Records overwritten before this page's first: 0 for none, -1 for some whose count is not stored. */
  readonly missed: number;
  /** Why the page ended before its time; what was visited before stands. */
  readonly fault: PageFault | undefined;
  /** Nanoseconds since the epoch after the last record read. */
  readonly endTime: number;
}

/** Called for each data record: where its payload lies in the view, and its time in nanoseconds since the epoch. */
export type RecordVisitor = (offset: number, length: number, time: number) => void;

/** Bits of `commit` that count bytes; the rest are flags (libtraceevent and Perfetto use 27 bits). */
const COMMIT_MASK = 0x7ffffff;
/** Records were overwritten before this page (kernel/trace/ring_buffer.c). */
const RB_MISSED_EVENTS = 0x80000000;
/** Their number follows the committed bytes, as an `unsigned long`. */
const RB_MISSED_STORED = 0x40000000;

/** include/linux/ring_buffer.h, `enum ring_buffer_type`: 1 to 28 are data too. TIME_STAMP since 4.17. */
const RINGBUF_TYPE_DATA_LONG = 0;
const RINGBUF_TYPE_DATA_TYPE_LEN_MAX = 28;
const RINGBUF_TYPE_PADDING = 29;
const RINGBUF_TYPE_TIME_EXTEND = 30;
const RINGBUF_TYPE_TIME_STAMP = 31;

const TWO_27 = 2 ** 27;
const TWO_32 = 2 ** 32;
const TWO_59 = 2 ** 59;

/**
 * Walks the records of one page read from `trace_pipe_raw` of a little-endian kernel, `byteLength` bytes at the
 * start of `view`. Allocates nothing per record. Times are exact within 2^53 ns (104 days) of the epoch.
 * `discarded` is called for records that the kernel took back (ring_buffer_discard_commit): their bytes are still there.
 */
export function readPage(
  view: DataView,
  byteLength: number,
  layout: PageLayout,
  epoch: PageEpoch,
  visit: RecordVisitor,
  discarded?: RecordVisitor,
): PageResult {
  if (byteLength < layout.dataOffset || byteLength > view.byteLength) {
    return { records: 0, missed: 0, fault: "short-page", endTime: 0 };
  }
  // The upper half of a 64-bit commit is the sign of RB_MISSED_EVENTS, not part of the count.
  const commit = view.getUint32(layout.commitOffset, true);
  const end = layout.dataOffset + (commit & COMMIT_MASK);
  const missed = readMissed(view, byteLength, layout, commit);
  const high = (view.getUint32(4, true) - epoch.hi) * TWO_32;
  const time = high + (view.getUint32(0, true) - epoch.lo);
  if (end > byteLength) return { records: 0, missed, fault: "commit-overflow", endTime: time };
  return walkRecords({ view, at: layout.dataOffset, end, time, missed, epoch }, visit, discarded);
}

interface Walk {
  readonly view: DataView;
  readonly at: number;
  readonly end: number;
  readonly time: number;
  readonly missed: number;
  readonly epoch: PageEpoch;
}

function walkRecords(
  { view, at, end, time, missed, epoch }: Walk,
  visit: RecordVisitor,
  discarded: RecordVisitor | undefined,
): PageResult {
  let records = 0;
  let fault: PageFault | undefined;
  while (at < end) {
    const available = end - at - 4;
    // Less than a header is left: 0 goes the way of a length word that is not there.
    const header = available < 0 ? 0 : view.getUint32(at, true);
    const type = header & 31;
    const delta = header >>> 5;
    if (type !== 0 && type <= RINGBUF_TYPE_DATA_TYPE_LEN_MAX) {
      const length = type * 4;
      if (length > available) {
        fault = "end-overflow";
        break;
      }
      time += delta;
      visit(at + 4, length, time);
      records += 1;
      at += 4 + length;
      continue;
    }
    // Every other record goes on with array[0], save padding without a length.
    fault = checkWord(type, delta, available);
    if (fault !== undefined) break;
    const word = view.getUint32(at + 4, true);
    if (type === RINGBUF_TYPE_TIME_EXTEND || type === RINGBUF_TYPE_TIME_STAMP) {
      time =
        type === RINGBUF_TYPE_TIME_EXTEND
          ? time + word * TWO_27 + delta
          : stampTime(word, delta, time, epoch);
      at += 8;
      continue;
    }
    fault = checkLength(type, word, available);
    if (fault !== undefined) break;
    // The kernel's reader leaves a discarded record's delta out; libtraceevent and Perfetto add it.
    time += delta;
    if (type === RINGBUF_TYPE_DATA_LONG) {
      visit(at + 8, word - 4, time);
      records += 1;
    } else discarded?.(at + 8, word - 4, time);
    at += 4 + word;
  }
  return { records, missed, fault, endTime: time };
}

function checkWord(type: number, delta: number, available: number): PageFault | undefined {
  if (type === RINGBUF_TYPE_PADDING && delta === 0) return "null-padding";
  return available < 4 ? "short-header" : undefined;
}

/** `array[0]` counts itself and what follows it. */
function checkLength(type: number, length: number, available: number): PageFault | undefined {
  if (type === RINGBUF_TYPE_DATA_LONG && length <= 4) return "zero-length";
  if (length < 4) return "bad-padding";
  return length > available ? "end-overflow" : undefined;
}

/** Without room behind the data the kernel sets RB_MISSED_EVENTS alone. */
function readMissed(view: DataView, byteLength: number, layout: PageLayout, commit: number): number {
  if ((commit & RB_MISSED_EVENTS) === 0) return 0;
  const at = layout.dataOffset + (commit & COMMIT_MASK);
  if ((commit & RB_MISSED_STORED) === 0 || at + layout.commitSize > byteLength) return -1;
  const low = view.getUint32(at, true);
  const count = layout.commitSize === 8 ? view.getUint32(at + 4, true) * TWO_32 + low : low;
  return count === 0 ? -1 : count;
}

/**
 * TIME_STAMP holds 59 bits; the top 5 are those of the time before it, one more if it would go backwards
 * (`rb_fix_abs_ts`, kernel/trace/ring_buffer.c, in 6.1 and not in 5.15).
 */
function stampTime(word: number, delta: number, before: number, epoch: PageEpoch): number {
  const beforeHigh = epoch.hi + Math.floor((epoch.lo + before) / TWO_32);
  const topBits = (beforeHigh & 0xf8000000) >>> 0;
  const high = topBits + (word >>> 5);
  const low = ((word << 27) | delta) >>> 0;
  const time = (high - epoch.hi) * TWO_32 + (low - epoch.lo);
  return topBits !== 0 && time < before ? time + TWO_59 : time;
}
