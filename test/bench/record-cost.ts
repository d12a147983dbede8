/**
 * What a log record takes from the event to the bytes that are sent, in µs of CPU, by our way and by the SDK's own emit and
 * serializer, with the same compression: prints one JSON object. `record-cost [ROUNDS]`, in a process of its own with the
 * product's flags.
 */
import { gzipSync } from "node:zlib";
import { ProtobufLogsSerializer } from "@opentelemetry/otlp-transformer";
import type { LogRecordProcessor, ReadableLogRecord } from "@opentelemetry/sdk-logs";
import type { EnrichedEvent } from "../../src/event/end-name.ts";
import type { SocketKey } from "../../src/event/tcp-event.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import type { EmitLog } from "../../src/export/log-entry.ts";
import { logRecordMaker } from "../../src/export/log-record.ts";
import { directLogEmitter } from "../../src/export/otlp/direct-log.ts";
import { logEmitter } from "../../src/export/otlp/emit-log.ts";
import { type EncodableRecord, encodeLogs } from "../../src/export/otlp/encode-logs.ts";
import { anEvent, EVERY_FIELD } from "../export/an-event.ts";
import { CART, CART_END, PRICES_END, someEnds } from "../export/some-ends.ts";
import { spread } from "./bench-report.ts";

const CONNECTIONS = 256;
const EVENTS = 4096;
const TIMES = 40_960;
/** As many as wait for each other by default (OTEL_BLRP_MAX_EXPORT_BATCH_SIZE). */
const BATCH = 512;
const ROUNDS = Number(process.argv[2] ?? 9);
const SHARED = {
  scope: ["tcpretrans", "0.0.0"],
  resource: { "service.name": "tcpretrans", "host.name": "node-a", "k8s.node.name": "node-a" },
  podResources: undefined,
} as const;
const unixNanos = (time: number) => 1_795_412_152_000_000_000n + BigInt(Math.round(time));
const events = someEvents();

/** A way of a record: its stages, each measured in its turn over a batch. */
interface Way {
  readonly emit: EmitLog;
  /** Takes what was emitted, and encodes it. */
  readonly encode: () => Uint8Array;
}

type Costs = Record<"make" | "emit" | "encode" | "gzip" | "all", number>;

const ways: Readonly<Record<string, () => Way>> = { ours: ourWay, sdk: sdkWay };
const costs = new Map<string, Costs[]>(Object.keys(ways).map((name) => [name, []]));
for (let round = 0; round < ROUNDS + 2; round++)
  for (const [name, way] of Object.entries(ways)) costs.get(name)?.push(measure(way()));
console.log(
  JSON.stringify(Object.fromEntries([...costs].map(([name, all]) => [name, summary(all.slice(2))]))),
);

function summary(all: readonly Costs[]) {
  const stages = ["make", "emit", "encode", "gzip", "all"] as const;
  return Object.fromEntries(stages.map((stage) => [stage, spread(all.map((each) => each[stage]))]));
}

function measure({ emit, encode }: Way): Costs {
  const make = logRecordMaker({ unixNanos });
  const costs: Costs = { make: 0, emit: 0, encode: 0, gzip: 0, all: 0 };
  for (let done = 0; done < TIMES; done += BATCH) {
    const batch = Array.from({ length: BATCH }, (_, i) => events[(done + i) % EVENTS] as EnrichedEvent);
    const [entries, makeUs] = timed(() => batch.map((event) => make(event, undefined)));
    const [, emitUs] = timed(() => entries.forEach(emit));
    const [bytes, encodeUs] = timed(encode);
    const [, gzipUs] = timed(() => gzipSync(bytes, { level: 1 }));
    costs.make += makeUs / TIMES;
    costs.emit += emitUs / TIMES;
    costs.encode += encodeUs / TIMES;
    costs.gzip += gzipUs / TIMES;
  }
  costs.all = costs.make + costs.emit + costs.encode + costs.gzip;
  return costs;
}

function timed<T>(work: () => T): readonly [T, number] {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return [result, user + system];
}

function ourWay(): Way {
  let records: EncodableRecord[] = [];
  return {
    emit: directLogEmitter({ ...SHARED, unixMs: Date.now, add: (record) => void records.push(record) }),
    encode: () => {
      const taken = records;
      records = [];
      return encodeLogs(taken);
    },
  };
}

function sdkWay(): Way {
  let records: ReadableLogRecord[] = [];
  const nothing = async () => undefined;
  const processor: LogRecordProcessor = {
    onEmit: (record) => void records.push(record),
    ...{ forceFlush: nothing, shutdown: nothing },
  };
  return {
    emit: logEmitter({ ...SHARED, processor, limits: { attributeCountLimit: 128 } }),
    encode: () => {
      const taken = records;
      records = [];
      return ProtobufLogsSerializer.serializeRequest(taken) ?? new Uint8Array();
    },
  };
}

/** As they come in a storm: many of few connections, every field told. */
function someEvents(): readonly EnrichedEvent[] {
  const ends = Array.from({ length: CONNECTIONS }, (_, i) =>
    someEnds(PRICES_END, {
      local: { ...CART_END, pod: { ...CART, uid: `u-${i % 20}`, name: `cart-${i % 20}` } },
    }),
  );
  return Array.from({ length: EVENTS }, (_, i) => {
    const of = (i * 7919) % CONNECTIONS;
    const key = (0xffff8881 * 2 ** 20 + 64 * of) as SocketKey;
    const fields = { ...EVERY_FIELD, seq: 1448 * i, endSeq: 1448 * (i + 1), retransOut: i & 1 };
    const socket = { key, localPort: 1024 + of, ...fields };
    const told = { rung: "kprobe", cause: "fast", segments: 1, error: 0 } as const;
    return { event: anEvent({ ...told, time: traceNanos(i * 25e3), socket }), ends: ends[of] };
  });
}
