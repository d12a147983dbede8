import { CAUSES, type Cause } from "../event/tcp-event.ts";
import type { Counted } from "../export/page-model.ts";

/** The last five minutes, in tenths: the window moves on by one at a time. */
const SLOTS = 10;
export const SLOT_NANOS = 30e9;

/** What is counted: segments of each cause, attempts that failed, seconds that connections stood still. */
const FAILED = CAUSES.length;
const STALL = CAUSES.length + 1;
const COLUMNS = CAUSES.length + 2;
const COLUMN_OF = Object.fromEntries(CAUSES.map((cause, column) => [cause, column])) as Readonly<
  Record<Cause, number>
>;

/** Counts since the start and of the last five minutes, in a fixed size. A slot is a time in units of SLOT_NANOS; it never goes back. */
export class WindowedCounts {
  /** Grows by each count; who compares may let it shrink. */
  weight = 0;
  readonly #total = new Float64Array(COLUMNS);
  readonly #slots = new Float64Array(SLOTS * COLUMNS);
  #slot = 0;

  segments(cause: Cause, count: number, slot: number): void {
    this.#add(COLUMN_OF[cause], count, slot);
  }

  failed(slot: number): void {
    this.#add(FAILED, 1, slot);
  }

  stalled(seconds: number, slot: number): void {
    this.#add(STALL, seconds, slot);
  }

  /** Since the start. */
  total(): Counted {
    return counted(this.#total);
  }

  /** Segments and failed attempts since the start. */
  totalSize(): number {
    return sizeOf(this.#total, 0);
  }

  /** Segments and failed attempts in the last five minutes, up to a slot. */
  recentSize(slot: number): number {
    this.#advance(slot);
    let sum = 0;
    for (let start = 0; start < this.#slots.length; start += COLUMNS) sum += sizeOf(this.#slots, start);
    return sum;
  }

  /** In the last five minutes, up to a slot. */
  recent(slot: number): Counted {
    this.#advance(slot);
    const sums = new Float64Array(COLUMNS);
    for (let i = 0; i < this.#slots.length; i++) addTo(sums, i % COLUMNS, this.#slots[i] ?? 0);
    return counted(sums);
  }

  #add(column: number, amount: number, slot: number): void {
    if (slot !== this.#slot) this.#advance(slot);
    this.weight += amount;
    addTo(this.#total, column, amount);
    addTo(this.#slots, (slot % SLOTS) * COLUMNS + column, amount);
  }

  /** Empties the slots that were passed since. */
  #advance(slot: number): void {
    const passed = Math.min(slot - this.#slot, SLOTS);
    for (let i = 0; i < passed; i++) {
      const start = ((slot - i) % SLOTS) * COLUMNS;
      this.#slots.fill(0, start, start + COLUMNS);
    }
    this.#slot = slot;
  }
}

/** The columns that are counts of things: all but the last. */
function sizeOf(numbers: Float64Array, start: number): number {
  let sum = 0;
  for (let column = 0; column <= FAILED; column++) sum += numbers[start + column] ?? 0;
  return sum;
}

function addTo(numbers: Float64Array, at: number, amount: number): void {
  numbers[at] = (numbers[at] ?? 0) + amount;
}

function counted(columns: Float64Array): Counted {
  const causes = CAUSES.map((cause, column) => [cause, columns[column] ?? 0] as const)
    .filter(([, segments]) => segments > 0)
    .sort(([, a], [, b]) => b - a);
  return {
    segments: causes.reduce((sum, [, segments]) => sum + segments, 0),
    failed: columns[FAILED] ?? 0,
    stallSeconds: columns[STALL] ?? 0,
    causes,
  };
}
