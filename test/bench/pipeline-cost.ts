/**
 * The agent's data path over a recording's pages in memory, without kernel and without exports: decode, pair, compare with
 * counters, name both ends, count. Prints one JSON object, µs of CPU an event with each stage added to those before.
 * `pipeline-cost FILE [whole|unnamed]`, in a process of its own with the product's flags; `whole` measures all stages together
 * alone, `unnamed` leaves names out: a recording of another machine has its namespaces and control groups.
 */
import { openSync } from "node:fs";
import { type Naming, type Pipeline, pump, type Sink, WITHOUT_NAMES } from "../../src/agent/pump.ts";
import { RecentEvents } from "../../src/agent/recent-events.ts";
import { recordedLayout } from "../../src/agent/recorded-source.ts";
import { CHUNK } from "../../src/agent/recording-format.ts";
import { parseJson, RecordingReader } from "../../src/agent/recording-reader.ts";
import { stackNames } from "../../src/cli/stack-names.ts";
import { Enricher } from "../../src/enrich/enricher.ts";
import type { TcpEvent } from "../../src/event/tcp-event.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { Episodes } from "../../src/export/episodes.ts";
import { eventSignals } from "../../src/export/event-signals.ts";
import { RetransmitMetrics } from "../../src/export/retransmit-metrics.ts";
import { HostOwners } from "../../src/host/host-owners.ts";
import { openHostConntrack } from "../../src/host/open-host-conntrack.ts";
import { PageDecoder } from "../../src/probe/page-decoder.ts";
import { Pairer } from "../../src/probe/pairer.ts";
import { Coverage } from "../../src/reconcile/coverage.ts";
import { openLibc } from "../../src/syscall/libc.ts";
import { spread } from "./bench-report.ts";
import { stormIndex } from "./storm-index.ts";

const ROUNDS = 7;
const NODE = "node-0001";
/** The host must have been looked at since: then names need not be waited for. */
const PAST_MS = 600_000;
const STAGES = ["decode and pair", "counters", "names", "metrics", "stalls", "page"] as const;

interface Tick {
  readonly pages: readonly { readonly cpu: number; readonly view: DataView }[];
  readonly watermark: number;
}

const reader = new RecordingReader(openSync(process.argv[2] ?? "", "r"));
const header = reader.header();
const layout = recordedLayout(header);
const symbols = new Map<bigint, string>();
const ticks = readTicks();
const index = stormIndex(NODE);
const libc = openLibc();
const now = () => performance.now();
using host = new HostOwners({ procRoot: "/proc", netnsPath: "/var/run/netns", libc, now, unixMs: Date.now });
using conntrack = openHostConntrack({ procRoot: "/proc", libc });
const [mode] = process.argv.slice(3);
const result: Record<string, unknown> = {};
let [events, records] = [0, 0];
for (const [count, stage] of STAGES.entries()) {
  if (mode === "whole" && count < STAGES.length - 1) continue;
  if (mode !== "unnamed" || stage !== "names") result[stage] = await measure(count);
}
console.log(JSON.stringify({ events, records, us: result }));

/** Median, smallest and largest of some rounds; the first two compile. */
async function measure(stages: number) {
  const us: number[] = [];
  for (let round = 0; round < ROUNDS + 2; round++) {
    const { pipeline, seen } = assemble(stages);
    const before = process.cpuUsage();
    await pump(pipeline);
    const { user, system } = process.cpuUsage(before);
    events = seen();
    records = pipeline.decoder.counts.records;
    us.push((user + system) / events);
  }
  return spread(us.slice(2));
}

/** The agent's own stages as agent-pipeline joins them, as many as are asked for. */
function assemble(stages: number): { readonly pipeline: Pipeline; readonly seen: () => number } {
  let seen = 0;
  const batch: TcpEvent[] = [];
  const functionsOf = stackNames((address) => symbols.get(address));
  const emit = (event: TcpEvent) => {
    seen++;
    batch.push(event);
  };
  const coverage = new Coverage({ namespaces: false } as ConstructorParameters<typeof Coverage>[0]);
  const witness = {
    consume: (events: readonly TcpEvent[]) => {
      for (const event of events) coverage.observe(event);
    },
  };
  const metrics = new RetransmitMetrics({
    detail: "pod",
    place: { node: NODE, cluster: "bench" },
    now: Date.now,
  });
  const recent = new RecentEvents();
  const episodes = new Episodes({
    stall(between, seconds) {
      metrics.measureStall(between.ends, seconds);
      recent.stalled(seconds, between);
    },
    quietSeconds: 30,
  });
  const sinks: Sink[] = [metrics, eventSignals({ log: undefined, episodes }), recent];
  return {
    seen: () => seen,
    pipeline: {
      source: memorySource(),
      decoder: new PageDecoder(layout, layout.epoch),
      pairer: new Pairer({ rung: header.rung, functionsOf, emit }),
      batch,
      witnesses: stages >= 1 ? [witness] : [],
      naming: stages >= 2 && mode !== "unnamed" ? naming() : WITHOUT_NAMES,
      sinks: sinks.slice(0, Math.max(0, stages - 2)),
    },
  };
}

function naming(): Naming {
  const sources = {
    ...{ cluster: index, host, conntrack, nodeName: NODE },
    ...{ socketLevelServices: false, wholeCluster: true },
  };
  const epochMs = Date.now() - PAST_MS;
  const unixMs = (time: number) => epochMs + time / 1e6;
  const enricher = new Enricher({ sources, unixMs });
  return {
    enrich(events, watermark) {
      index.expire(unixMs(watermark));
      return enricher.enrich(events, watermark);
    },
    end: () => {
      const { own, unknownLocal, unknownPeer, foreign } = enricher.counts;
      if (unknownLocal + unknownPeer + foreign > 0.01 * own)
        throw new Error(`Cannot measure: ${JSON.stringify(enricher.counts)}`);
      return enricher.end();
    },
  };
}

function memorySource(): Pipeline["source"] {
  let at = 0;
  return {
    drain(page) {
      const tick = ticks[at++];
      if (tick === undefined) {
        const watermark = traceNanos(ticks.at(-1)?.watermark ?? 0);
        return { watermark, more: false, ended: true };
      }
      for (const { cpu, view } of tick.pages) page(cpu, view, view.byteLength);
      return { watermark: traceNanos(tick.watermark), more: true, ended: false };
    },
    wait: async () => {},
  };
}

function readTicks(): readonly Tick[] {
  const ticks: Tick[] = [];
  let pages: { cpu: number; view: DataView }[] = [];
  for (let chunk = reader.next(); chunk !== undefined; chunk = reader.next()) {
    const { kind, payload } = chunk;
    const { buffer, byteOffset, byteLength } = payload;
    if (kind === CHUNK.page) {
      const bytes = new Uint8Array(buffer as ArrayBuffer, byteOffset + 2, byteLength - 2).slice();
      pages.push({ cpu: payload.getUint16(0, true), view: new DataView(bytes.buffer) });
    } else if (kind === CHUNK.tick) {
      ticks.push({ pages, watermark: payload.getFloat64(0, true) });
      pages = [];
    } else if (kind === CHUNK.symbols) {
      for (const [address, name] of parseJson(payload) as [string, string][])
        symbols.set(BigInt(address), name);
    }
  }
  return ticks;
}
