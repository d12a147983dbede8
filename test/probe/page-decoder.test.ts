import assert from "node:assert/strict";
import { test } from "node:test";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { type CaptureLayout, PageDecoder } from "../../src/probe/page-decoder.ts";
import { parseEventFormat } from "../../src/tracefs/event-format.ts";
import { eventRecord, probeFormat, stackRecord } from "../support/event-record.ts";
import { recordingHeader } from "../support/kernels.ts";
import { type PageWriter, pageEpoch, pageWriter } from "../support/page-writer.ts";

const HEADER = recordingHeader("6.12-stacks");
const FORMAT = probeFormat("p", 900, ["sk:8"]);
const STACK_FORMAT = parseEventFormat(HEADER.stackFormat!);
const EPOCH = pageEpoch(5_000_000_000n);
const LATE = traceNanos(1e15);

const capture = (stacks: boolean): CaptureLayout => ({
  headerPage: HEADER.headerPage,
  events: [{ role: "reordering_enter", format: FORMAT }],
  stackFormat: stacks ? STACK_FORMAT : undefined,
  facts: HEADER.facts,
});
const decoderOf = ({ stacks = false } = {}) => new PageDecoder(capture(stacks), EPOCH);
const page = (time: number) => pageWriter({ epoch: EPOCH, time });
/** Told apart by its task. */
const record = (pid: number) => eventRecord(FORMAT, { sk: 64 * pid, common_pid: pid });
const stack = (pid: number, ...addresses: bigint[]) => stackRecord(STACK_FORMAT, addresses, { pid });

function give(decoder: PageDecoder, cpu: number, writer: PageWriter): number {
  const bytes = writer.bytes();
  const end = decoder.page(cpu, new DataView(bytes.buffer), bytes.length);
  bytes.fill(0xee); // the view is not kept
  return end;
}

const pids = (decoder: PageDecoder, until = LATE) => decoder.take(until).map(({ pid }) => pid);

test("PageDecoder.take() gives records of all CPUs in time order, those of equal time in their CPU's", () => {
  const decoder = decoderOf();
  assert.equal(
    give(decoder, 2, page(100).record(0, record(1)).record(50, record(4)).record(0, record(5))),
    150,
  );
  give(decoder, 0, page(110).record(0, record(2)).record(20, record(3)).record(20, record(6)));
  give(decoder, 3, page(105).record(0, record(7)).record(100, record(8)));
  assert.deepEqual(pids(decoder), [1, 7, 2, 3, 6, 4, 5, 8]);
  assert.deepEqual(decoder.counts, { records: 8, pages: 3, missed: 0, faults: new Map() });
});

test("PageDecoder.take() keeps what is later than the watermark", () => {
  const decoder = decoderOf();
  give(decoder, 0, page(100).record(0, record(1)).record(1, record(2)).record(1, record(3)));
  assert.deepEqual(pids(decoder, traceNanos(99)), []);
  assert.deepEqual(pids(decoder, traceNanos(101)), [1, 2]);
  give(decoder, 1, page(90).record(0, record(4)));
  assert.deepEqual(pids(decoder), [4, 3]);
  assert.deepEqual(pids(decoder), []);
});

test("PageDecoder gives the records of one socket one key, on whichever CPU", () => {
  const decoder = decoderOf();
  const [a, b] = [0xffff_8880_0000_1000n, 0xffff_8880_0000_1980n];
  give(
    decoder,
    0,
    page(100)
      .record(0, eventRecord(FORMAT, { sk: a }))
      .record(1, eventRecord(FORMAT, { sk: b })),
  );
  give(
    decoder,
    1,
    page(102)
      .record(0, eventRecord(FORMAT, { sk: b }))
      .record(1, eventRecord(FORMAT, { sk: a })),
  );
  const [first, second, third, fourth] = decoder.take(LATE).map(({ key }) => key);
  assert.deepEqual([third, fourth], [second, first]);
  assert.notEqual(first, second);
});

test("PageDecoder counts records lost before a page, where the page tells how many", () => {
  const decoder = decoderOf();
  give(decoder, 0, pageWriter({ epoch: EPOCH, missed: 434 }).record(1, record(1)));
  give(decoder, 0, pageWriter({ epoch: EPOCH, missed: "unknown" }).record(1, record(1)));
  assert.equal(decoder.counts.missed, 434);
});

test("PageDecoder counts each fault and reads on", () => {
  const decoder = decoderOf({ stacks: true });
  const unknown = eventRecord(FORMAT, { common_type: 901 });
  const short = record(1).slice(0, 12);
  const writer = page(0)
    .record(1, unknown)
    .record(1, short)
    .record(1, new Uint8Array(4))
    .record(1, stackRecord(STACK_FORMAT, [1n], { size: 0 }))
    .record(1, stackRecord(STACK_FORMAT, [1n], { size: -5 }))
    .record(1, stackRecord(STACK_FORMAT, [1n]).slice(0, 12))
    .record(1, record(7))
    .nullPadding();
  give(decoder, 0, writer);
  assert.deepEqual(pids(decoder), [7]);
  assert.deepEqual(
    decoder.counts.faults,
    new Map<string, number>([
      ["unknown-event", 1],
      ["record-too-short", 2],
      ["stack-too-short", 3],
      ["null-padding", 1],
    ]),
  );
  assert.equal(decoder.counts.records, 7);
});

test("PageDecoder.addEvents() decodes a probe that was installed again, and what is left of the old one", () => {
  const decoder = decoderOf();
  const again = probeFormat("p", 950, ["x:4", "sk:8"]);
  decoder.addEvents([{ role: "mtu_enter", format: again }]);
  give(
    decoder,
    0,
    page(0)
      .record(1, record(1))
      .record(1, eventRecord(again, { sk: 128, common_pid: 2 })),
  );
  assert.deepEqual(
    decoder.take(LATE).map(({ role, pid }) => [role, pid]),
    [
      ["reordering_enter", 1],
      ["mtu_enter", 2],
    ],
  );
});

test("PageDecoder gives a stack to the record before it, without the zeroes behind its end", () => {
  const decoder = decoderOf({ stacks: true });
  give(
    decoder,
    0,
    page(0)
      .record(1, record(1))
      .record(1, stack(1, 5n, 6n, 0n, 0n)),
  );
  give(decoder, 1, page(0).record(1, record(2)).record(1, stack(2, 7n)));
  assert.deepEqual(
    decoder.take(LATE).map((taken) => [taken.pid, taken.stack]),
    [
      [1, [5n, 6n]],
      [2, [7n]],
    ],
  );
});

test("PageDecoder takes no more of a stack than its record holds", () => {
  const decoder = decoderOf({ stacks: true });
  give(
    decoder,
    0,
    page(0)
      .record(1, record(1))
      .record(1, stackRecord(STACK_FORMAT, [5n, 6n], { size: 4096, pid: 1 })),
  );
  assert.deepEqual(decoder.take(LATE)[0]?.stack, [5n, 6n]);
});

/** `common_flags`: TRACE_FLAG_SOFTIRQ, TRACE_FLAG_HARDIRQ. */
const [TASK, SOFTIRQ, HARDIRQ] = [0, 0x10, 0x18];
const within = (flags: number, pid: number) =>
  eventRecord(FORMAT, { sk: 64, common_pid: pid, common_flags: flags });
const stackWithin = (flags: number, pid: number, address: bigint) =>
  stackRecord(STACK_FORMAT, [address], { flags, pid });

const LOST_STACKS = [
  {
    name: "gives stacks last in, first out: an interrupt's record and stack lie between, whole",
    records: [
      within(TASK, 1),
      within(SOFTIRQ, 2),
      within(HARDIRQ, 3),
      stackWithin(HARDIRQ, 3, 3n),
      stackWithin(SOFTIRQ, 2, 2n),
      stackWithin(TASK, 1, 1n),
    ],
    taken: [
      [1, [1n]],
      [2, [2n]],
      [3, [3n]],
    ],
  },
  {
    name: "gives a stack to the task's record although the interrupt's between has lost its own",
    records: [within(TASK, 1), within(SOFTIRQ, 2), stackWithin(TASK, 1, 1n)],
    taken: [
      [1, [1n]],
      [2, undefined],
    ],
  },
  {
    name: "gives a stack to the record of its task, although another has preempted that",
    records: [within(TASK, 1), within(TASK, 2), stackWithin(TASK, 2, 2n), stackWithin(TASK, 1, 1n)],
    taken: [
      [1, [1n]],
      [2, [2n]],
    ],
  },
  {
    name: "waits for no stack when the next record of the same softirq is there",
    records: [within(SOFTIRQ, 1), within(SOFTIRQ, 1), within(SOFTIRQ, 2), stackWithin(SOFTIRQ, 2, 2n)],
    taken: [
      [1, undefined],
      [1, undefined],
      [2, [2n]],
    ],
  },
  {
    name: "waits for no stack when what was interrupted goes on",
    records: [within(HARDIRQ, 1), within(SOFTIRQ, 2), within(TASK, 3), stackWithin(TASK, 3, 3n)],
    taken: [
      [1, undefined],
      [2, undefined],
      [3, [3n]],
    ],
  },
] as const;

for (const { name, records, taken } of LOST_STACKS) {
  test(`PageDecoder ${name}`, () => {
    const decoder = decoderOf({ stacks: true });
    const writer = records.reduce((all, one) => all.record(1, one), page(100));
    give(decoder, 0, writer);
    assert.deepEqual(
      decoder.take(traceNanos(1000)).map(({ pid, stack }) => [pid, stack]),
      taken,
    );
  });
}

test("PageDecoder.take() waits for a stack that is on the CPU's next page, and holds other CPUs back", () => {
  const decoder = decoderOf({ stacks: true });
  give(decoder, 0, page(100).record(0, record(1)).record(1, stack(1, 1n)).record(9, record(2)));
  give(
    decoder,
    1,
    page(105).record(0, record(3)).record(1, stack(3, 3n)).record(10, record(4)).record(1, stack(4, 4n)),
  );
  assert.deepEqual(pids(decoder, traceNanos(200)), [1, 3]);
  give(decoder, 0, page(111).record(0, stack(2, 2n)));
  assert.deepEqual(
    decoder.take(traceNanos(201)).map((taken) => [taken.pid, taken.stack]),
    [
      [2, [2n]],
      [4, [4n]],
    ],
  );
});

test("PageDecoder.take() waits 0.5 s for a stack that never comes, and gives the record without", () => {
  const decoder = decoderOf({ stacks: true });
  give(decoder, 0, page(100).record(0, record(1)));
  assert.deepEqual(pids(decoder, traceNanos(5e8 + 99)), []);
  const [taken] = decoder.take(traceNanos(5e8 + 100));
  assert.deepEqual([taken?.pid, taken?.stack], [1, undefined]);
});

test("PageDecoder drops a stack without a record", () => {
  const decoder = decoderOf({ stacks: true });
  give(
    decoder,
    0,
    page(0).record(1, stack(9, 9n)).record(1, record(1)).record(1, stack(1, 1n)).record(1, stack(1, 9n)),
  );
  assert.deepEqual(
    decoder.take(LATE).map((taken) => taken.stack),
    [[1n]],
  );
  assert.equal(decoder.counts.faults.size, 0);
});

test("PageDecoder takes kernel_stack records for unknown where stacks are not recorded", () => {
  const decoder = decoderOf();
  give(decoder, 0, page(0).record(1, stack(9, 9n)));
  assert.deepEqual(decoder.counts.faults, new Map([["unknown-event", 1]]));
});

test("PageDecoder throws SyntaxError on a header_page that makes no sense", () => {
  assert.throws(() => new PageDecoder({ ...capture(false), headerPage: "nothing" }, EPOCH), SyntaxError);
});

test("PageDecoder.takenUntil ends before a record that waits for its stack, until it has waited long enough", () => {
  const decoder = decoderOf({ stacks: true });
  give(decoder, 0, page(100).record(0, record(1)).record(1, stack(1, 7n)).record(50, record(2)));
  assert.deepEqual(pids(decoder, traceNanos(200)), [1]);
  assert.equal(decoder.takenUntil, 150);
  assert.deepEqual(pids(decoder, traceNanos(1e9)), [2]);
  assert.equal(decoder.takenUntil, 1e9);
});
