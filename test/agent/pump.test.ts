import assert from "node:assert/strict";
import { test } from "node:test";
import { type Drained, type PageSource, pump, WITHOUT_NAMES } from "../../src/agent/pump.ts";
import type { EnrichedEvent } from "../../src/event/end-name.ts";
import type { TcpEvent } from "../../src/event/tcp-event.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { PageDecoder } from "../../src/probe/page-decoder.ts";
import { Pairer } from "../../src/probe/pairer.ts";
import { parseEventFormat } from "../../src/tracefs/event-format.ts";
import { eventRecord, probeFormat, stackRecord } from "../support/event-record.ts";
import { recordingHeader } from "../support/kernels.ts";
import { type PageWriter, pageWriter } from "../support/page-writer.ts";

const { headerPage, facts, stackFormat } = recordingHeader("6.12-stacks");
const STACK_FORMAT = parseEventFormat(stackFormat!);
const OUTCOME = probeFormat("outcome", 900, ["sk:8", "fam:2", "s4:4", "d4:4", "lp:2"]);
const ATTEMPT = probeFormat("attempt", 901, ["sk:8", "fam:2", "s4:4", "d4:4", "lp:2"]);

interface Tick {
  readonly pages: readonly { readonly cpu: number; readonly page: PageWriter }[];
  readonly watermark: number;
}

/** Pages that are there already, tick by tick. */
class MemorySource implements PageSource {
  readonly #ticks: Tick[];
  waits = 0;

  constructor(ticks: readonly Tick[]) {
    this.#ticks = [...ticks];
  }

  drain(page: (cpu: number, view: DataView, byteLength: number) => number): Drained {
    const tick = this.#ticks.shift()!;
    for (const { cpu, page: writer } of tick.pages) {
      const bytes = writer.bytes();
      page(cpu, new DataView(bytes.buffer), bytes.length);
    }
    return { watermark: traceNanos(tick.watermark), more: false, ended: this.#ticks.length === 0 };
  }

  async wait(): Promise<void> {
    this.waits++;
  }
}

/** Runs the ticks; gives the local port of each event, batch by batch. */
async function run(ticks: readonly Tick[], { stacks = false } = {}) {
  const events = [
    { role: "outcome" as const, format: OUTCOME },
    { role: "attempt" as const, format: ATTEMPT },
  ];
  const capture = { headerPage, events, stackFormat: stacks ? STACK_FORMAT : undefined, facts };
  const decoder = new PageDecoder(capture, { hi: 0, lo: 0 });
  const batch: TcpEvent[] = [];
  const pairer = new Pairer({ rung: "kprobe", functionsOf: () => [], emit: (event) => batch.push(event) });
  const batches: (readonly [number[], number])[] = [];
  let ends = 0;
  const sink = {
    consume: (events: readonly EnrichedEvent[], watermark: number) =>
      void batches.push([events.map(({ event }) => event.socket.localPort), watermark]),
    end: () => {
      ends++;
    },
  };
  const source = new MemorySource(ticks);
  await pump({ source, decoder, pairer, batch, witnesses: [], naming: WITHOUT_NAMES, sinks: [sink] });
  return { batches, ends, waits: source.waits, counts: pairer.counts };
}

const outcome = (lp: number) => eventRecord(OUTCOME, { sk: 64 * lp, fam: 2, lp });
const attempt = (lp: number) => eventRecord(ATTEMPT, { sk: 64 * lp, fam: 2, lp });

test("pump() hands the sinks each tick's events up to its watermark, and waits between ticks", async () => {
  const { batches, ends, waits } = await run([
    {
      pages: [
        { cpu: 0, page: pageWriter({ time: 10 }).record(0, outcome(1)).record(30, outcome(4)) },
        { cpu: 1, page: pageWriter({ time: 20 }).record(0, outcome(2)) },
      ],
      watermark: 25,
    },
    { pages: [], watermark: 30 },
    { pages: [{ cpu: 1, page: pageWriter({ time: 35 }).record(0, outcome(3)) }], watermark: 50 },
  ]);
  assert.deepEqual(batches, [
    [[1, 2], 25],
    [[], 30],
    [[3, 4], 50],
  ]);
  assert.deepEqual([ends, waits], [1, 2]);
});

test("pump() takes all that is in hand at the end: records after the watermark and those without their stack", async () => {
  const page = pageWriter({ time: 10 })
    .record(0, outcome(1))
    .record(1, stackRecord(STACK_FORMAT, [1n]))
    .record(1, outcome(2))
    .record(100, outcome(3));
  const { batches } = await run([{ pages: [{ cpu: 0, page }], watermark: 50 }], { stacks: true });
  assert.deepEqual(batches, [[[1, 2, 3], 50]]);
});

test("pump() gives up on attempts of a second ago, and cuts off later ones at the end", async () => {
  const page = pageWriter({ time: 0 }).record(5, attempt(1)).record(1e9, attempt(2));
  const { batches, counts } = await run([
    { pages: [{ cpu: 0, page }], watermark: 1e9 + 5 },
    { pages: [], watermark: 1e9 + 9 },
  ]);
  assert.deepEqual(
    batches.map(([ports]) => ports),
    [[1], []],
  );
  assert.deepEqual([counts.unansweredAttempts, counts.cutOffAttempts], [1, 1]);
});

test("pump() shows witnesses every event at once, and sinks those that naming lets through, the held ones at the end", async () => {
  const batch: TcpEvent[] = [];
  const events = [{ role: "outcome" as const, format: OUTCOME }];
  const decoder = new PageDecoder({ headerPage, events, stackFormat: undefined, facts }, { hi: 0, lo: 0 });
  const pairer = new Pairer({ rung: "kprobe", functionsOf: () => [], emit: (event) => batch.push(event) });
  const seen: number[] = [];
  const shown: number[][] = [];
  const held: EnrichedEvent[] = [];
  const named = (event: TcpEvent) => ({ event, ends: undefined });
  await pump({
    ...{ decoder, pairer, batch },
    source: new MemorySource([
      {
        pages: [{ cpu: 0, page: pageWriter({ time: 10 }).record(0, outcome(1)).record(1, outcome(2)) }],
        watermark: 50,
      },
      { pages: [{ cpu: 0, page: pageWriter({ time: 60 }).record(0, outcome(3)) }], watermark: 90 },
    ]),
    witnesses: [{ consume: (events) => void seen.push(...events.map(({ socket }) => socket.localPort)) }],
    naming: {
      enrich: (events) => {
        held.push(...events.filter(({ socket }) => socket.localPort === 1).map(named));
        return events.filter(({ socket }) => socket.localPort === 3).map(named);
      },
      end: () => held,
    },
    sinks: [{ consume: (events) => void shown.push(events.map(({ event }) => event.socket.localPort)) }],
  });
  assert.deepEqual(seen, [1, 2, 3]);
  assert.deepEqual(shown, [[], [3], [1]]);
});
