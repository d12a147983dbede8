import type { TraceNanos } from "../event/trace-nanos.ts";
import { traceNanos } from "../event/trace-nanos.ts";
import { parseHeaderPage } from "../ring-buffer/page-layout.ts";
import { type PageEpoch, type PageFault, readPage } from "../ring-buffer/read-page.ts";
import type { EventFormat } from "../tracefs/event-format.ts";
import { AwaitedStacks, writerOf } from "./awaited-stacks.ts";
import { type DecodeFacts, type KernelFacts, type RecordDecoder, recordDecoder } from "./decode-record.ts";
import type { DecodeFault, ProbeRecord, Role } from "./probe-record.ts";
import { SocketKeys } from "./socket-keys.ts";
import { StackTable } from "./stack-table.ts";

/** A probe as its records tell of it. */
export interface RecordedProbe {
  readonly role: Role;
  readonly format: EventFormat;
  /** A kernel_stack record follows each of its records; absent: it does where stacks are recorded. */
  readonly stack?: boolean;
}

/** What is needed to decode pages anywhere: formats, ids and facts of the kernel that wrote them. Serialisable. */
export interface CaptureLayout {
  /** Text of events/header_page. */
  readonly headerPage: string;
  readonly events: readonly RecordedProbe[];
  /** Format of ftrace:kernel_stack where stacks are recorded. */
  readonly stackFormat?: EventFormat | undefined;
  readonly facts: KernelFacts;
}

/** Counts of what decoding met. */
export interface DecodeCounts {
  records: number;
  pages: number;
  /** Records that the kernel overwrote before they were read, where the page says how many. */
  missed: number;
  readonly faults: Map<DecodeFault | PageFault, number>;
}

/** Turns pages into records in time order over all CPUs. */
export class PageDecoder {
  readonly counts: DecodeCounts = { records: 0, pages: 0, missed: 0, faults: new Map() };
  readonly #layout;
  readonly #epoch: PageEpoch;
  readonly #facts: DecodeFacts;
  readonly #decoders: (RecordDecoder | undefined)[] = [];
  readonly #stackId: number;
  readonly #queues: ProbeRecord[][] = [];
  readonly #awaiting: AwaitedStacks[] = [];
  /** Ids of events whose records a stack follows. */
  readonly #withStack = new Set<number>();
  readonly #stacks = new StackTable();
  #takenUntil = traceNanos(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #cpu = 0;

  constructor(capture: CaptureLayout, epoch: PageEpoch) {
    this.#layout = parseHeaderPage(capture.headerPage);
    this.#epoch = epoch;
    this.#stackId = capture.stackFormat?.id ?? -1;
    this.#facts = { ...capture.facts, keyOf: new SocketKeys().of };
    this.addEvents(capture.events);
  }

  /** Adds the formats of probes that were installed again: their records carry new ids. */
  addEvents(events: CaptureLayout["events"]): void {
    for (const { role, format, stack = this.#stackId >= 0 } of events) {
      this.#decoders[format.id] = recordDecoder(role, format, this.#facts);
      if (stack) this.#withStack.add(format.id);
      else this.#withStack.delete(format.id);
    }
  }

  /** Decodes one page of a CPU and gives the time of its last record; the view is not kept. */
  page(cpu: number, view: DataView, byteLength: number): TraceNanos {
    this.#view = view;
    this.#cpu = cpu;
    const result = readPage(view, byteLength, this.#layout, this.#epoch, this.#visit);
    this.counts.pages++;
    if (result.missed > 0) this.counts.missed += result.missed;
    if (result.fault !== undefined) this.#fault(result.fault);
    return traceNanos(result.endTime);
  }

  /** Up to when records have been taken: later ones may be kept back behind one that waits for its stack. */
  get takenUntil(): TraceNanos {
    return this.#takenUntil;
  }

  /** Takes the records up to a time in order; those of equal time keep their CPU's order. */
  take(until: TraceNanos): readonly ProbeRecord[] {
    const watermark = this.#beforeOpenStacks(until);
    this.#takenUntil = traceNanos(watermark);
    const parts: (readonly ProbeRecord[])[] = [];
    for (const [cpu, queue] of this.#queues.entries()) {
      if (queue === undefined || queue.length === 0) continue;
      const end = endOf(queue, watermark);
      if (end === 0) continue;
      parts.push(end === queue.length ? queue : queue.slice(0, end));
      this.#queues[cpu] = end === queue.length ? [] : queue.slice(end);
    }
    return mergeByTime(parts);
  }

  readonly #visit = (offset: number, length: number, time: number): void => {
    const fault = this.#record(offset, length, time);
    if (fault !== undefined) this.#fault(fault);
  };

  #record(offset: number, length: number, time: number): DecodeFault | undefined {
    this.counts.records++;
    if (length < 8) return "record-too-short";
    const id = this.#view.getUint16(offset, true); // common_type, the first field of every format
    const awaiting = this.#awaitedStacks();
    const writer = writerOf(this.#view, offset);
    if (id === this.#stackId) return this.#stack(awaiting.take(writer), offset, length);
    awaiting.wrote(writer);
    const decode = this.#decoders[id];
    if (decode === undefined) return "unknown-event";
    const record = decode(this.#view, offset, length, traceNanos(time), this.#cpu);
    if (typeof record === "string") return record;
    this.#queue(record);
    if (this.#withStack.has(id)) awaiting.await(record, writer.context);
    return undefined;
  }

  #awaitedStacks(): AwaitedStacks {
    const known = this.#awaiting[this.#cpu];
    if (known !== undefined) return known;
    const fresh = new AwaitedStacks();
    this.#awaiting[this.#cpu] = fresh;
    return fresh;
  }

  #queue(record: ProbeRecord): void {
    const queue = this.#queues[this.#cpu];
    if (queue === undefined) this.#queues[this.#cpu] = [record];
    else queue.push(record);
  }

  #stack(record: ProbeRecord | undefined, offset: number, length: number): DecodeFault | undefined {
    const size = length < 16 ? 0 : Math.min(this.#view.getInt32(offset + 8, true), (length - 16) >>> 3);
    if (size <= 0) return "stack-too-short";
    if (record !== undefined) record.stack = this.#stacks.read(this.#view, offset + 16, size);
    return undefined;
  }

  #beforeOpenStacks(until: TraceNanos): number {
    let watermark: number = until;
    for (const awaiting of this.#awaiting) watermark = awaiting?.takeUntil(until, watermark) ?? watermark;
    return watermark;
  }

  #fault(fault: DecodeFault | PageFault): void {
    this.counts.faults.set(fault, (this.counts.faults.get(fault) ?? 0) + 1);
  }
}

/** Index after the last record up to a time, in a queue in time order: halved, since a CPU that lags keeps the others' long. */
function endOf(queue: readonly ProbeRecord[], until: number): number {
  let [low, high] = [0, queue.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((queue[middle] as ProbeRecord).time > until) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Lists in time order as one; records of equal time keep the order of the lists. */
function mergeByTime(lists: readonly (readonly ProbeRecord[])[]): readonly ProbeRecord[] {
  let parts = lists;
  while (parts.length > 1) {
    const halves: (readonly ProbeRecord[])[] = [];
    for (let i = 0; i < parts.length; i += 2) halves.push(mergeTwo(parts[i] ?? [], parts[i + 1] ?? []));
    parts = halves;
  }
  return parts[0] ?? [];
}

function mergeTwo(first: readonly ProbeRecord[], second: readonly ProbeRecord[]): readonly ProbeRecord[] {
  const merged: ProbeRecord[] = [];
  let i = 0;
  for (const later of second) {
    for (let earlier = first[i]; earlier !== undefined && earlier.time <= later.time; earlier = first[++i])
      merged.push(earlier);
    merged.push(later);
  }
  for (; i < first.length; i++) merged.push(first[i] as ProbeRecord);
  return merged;
}
