import assert from "node:assert/strict";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { OtlpSettings } from "../../../src/export/otlp/otlp-settings.ts";
import type { Telemetry } from "../../../src/export/otlp/telemetry.ts";
import type { Received } from "./decode-otlp.ts";
import { type Collector, GRPC, type GrpcBehaviour, grpcCollector } from "./grpc-collector.ts";
import { type HttpBehaviour, httpCollector } from "./http-collector.ts";
import { failedRequests, fastClock, keptLog, openedTelemetry, otlpSettings, until } from "./settings.ts";

/** How many times as fast as the machine's the clock is; OUTAGE_SPEED=1 takes 10 minutes and more. */
const SPEED = Number(process.env["OUTAGE_SPEED"] ?? 100);
const CONNECTIONS = 7;

type Protocol = OtlpSettings["protocol"];

interface RigOptions {
  readonly protocol: Protocol;
  readonly port: number;
  readonly queue?: { readonly maxBytes: number; readonly maxRecords: number };
  readonly speed?: number;
  readonly timeoutMs?: number;
}

interface Rig {
  readonly telemetry: Telemetry;
  readonly said: readonly string[];
  /** Every wait, in ms of the rig's clock. */
  readonly waits: readonly number[];
  readonly emitted: number;
  /** Emits so many numbered records. */
  emit(count: number): void;
  /** Emits records at this pace for so long, in the rig's time. */
  emitFor(seconds: number, perSecond: number): Promise<void>;
}

/** Telemetry over one protocol whose log records are numbered. */
function rig(t: TestContext, { protocol, port, queue, speed = SPEED, timeoutMs = 5_000 }: RigOptions): Rig {
  const clock = fastClock(speed);
  const log = keptLog();
  const otlp = otlpSettings(port, { protocol, timeoutMs });
  const telemetry = openedTelemetry(t, {
    logs: { exporter: "otlp", otlp },
    logBatch: { maxItems: 512, delayMs: 1000, queueRecords: 100_000 },
    clock,
    log,
    ...(queue === undefined ? {} : { queue }),
  });
  let emitted = 0;
  const emit = (count: number) => {
    for (let left = count; left > 0; left--, emitted++) {
      telemetry.emitLog!({
        eventName: "tcp.retransmit",
        timeUnixNanos: timeOf(emitted),
        body: `10.0.0.1:${emitted % CONNECTIONS} R> 10.0.0.2:443`,
        attributes: { "source.port": emitted % CONNECTIONS, "tcp.seq": emitted },
        pod: undefined,
        context: undefined,
      });
    }
  };
  const emitFor = async (seconds: number, perSecond: number) => {
    const startMs = clock.monotonicMs();
    const first = emitted;
    while (emitted - first < seconds * perSecond) {
      const due = Math.floor(((clock.monotonicMs() - startMs) / 1000) * perSecond);
      emit(Math.min(due, seconds * perSecond) - (emitted - first));
      await wait(2);
    }
  };
  return {
    ...{ telemetry, said: log.said, waits: clock.waits, emit, emitFor },
    get emitted() {
      return emitted;
    },
  };
}

/** Kernel time of a record: it must be what the collector gets, however late. */
function timeOf(number: number): bigint {
  return 1_700_000_000_000_000_000n + BigInt(number) * 1_000_003n;
}

async function collectorFor(
  t: TestContext,
  protocol: Protocol,
  {
    port = 0,
    grpc,
    http,
  }: {
    port?: number;
    grpc?: (request: number) => GrpcBehaviour;
    http?: (request: number) => HttpBehaviour;
  } = {},
): Promise<Collector> {
  return protocol === "grpc"
    ? await grpcCollector(t, { port, ...(grpc === undefined ? {} : { behave: grpc }) })
    : await httpCollector(t, { port, ...(http === undefined ? {} : { behave: http }) });
}

/** A port on which nothing listens. */
async function freePort(t: TestContext): Promise<number> {
  const { port, stop } = await listen(t, () => undefined);
  await stop();
  return port;
}

async function listen(t: TestContext, onSocket: (socket: Socket) => void) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  t.after(stop);
  return { port: (server.address() as AddressInfo).port, stop };
}

const numberOf = ({ attributes }: Received) => Number(attributes["tcp.seq"]);

/** Each record is there with its own time, and those of a connection came in their order; what came twice counts once. */
function assertOrderly(received: readonly Received[]): readonly number[] {
  const last = new Map<unknown, number>();
  const seen = new Set<number>();
  for (const record of received) {
    const number = numberOf(record);
    assert.deepEqual(record.times, [timeOf(number)]);
    if (seen.has(number)) continue;
    const port = record.attributes["source.port"];
    assert.ok((last.get(port) ?? -1) < number, `${number} came after ${last.get(port)}`);
    last.set(port, number);
    seen.add(number);
  }
  return [...seen];
}

/** All that was emitted is exported, dropped for a reason, or waiting. */
function assertAccounted({ telemetry, emitted }: Rig): void {
  const { exported, dropped, waitingRecords } = telemetry.counts().logs!;
  const sum = Object.values(dropped).reduce((one, other) => one + other, exported + waitingRecords);
  assert.equal(sum, emitted);
}

/** Defines the tests of a Collector that is away, slow or broken. */
export function testOutages(protocol: Protocol): void {
  test(`openTelemetry() loses nothing by ${protocol} when the collector is away for 10 minutes at 100 records/s`, async (t) => {
    const port = await freePort(t);
    const one = rig(t, { protocol, port });
    await one.emitFor(600, 100);
    const counts = one.telemetry.counts().logs!;
    const { waitingRecords, waitingBytes } = counts;
    assert.equal(waitingRecords, 60_000);
    assert.ok(waitingBytes < 32 * 1024 * 1024);
    assert.ok(failedRequests(counts) > 10);
    const collector = await collectorFor(t, protocol, { port });
    await until("all came", () => collector.received.length >= 60_000, 600_000 / SPEED + 30_000);
    const numbers = assertOrderly(collector.received);
    assert.equal(numbers.length, 60_000);
    // Nothing was sent twice: no try that failed had reached anyone.
    assert.equal(collector.received.length, 60_000);
    await until("all are accounted for", () => one.telemetry.counts().logs!.exported === 60_000);
    assert.match(
      one.said[0]!,
      /^Cannot export logs to http:\/\/127\.0\.0\.1:\d+.*: connection refused; check that a Collector listens there/,
    );
    assert.deepEqual(one.said.slice(1).filter((line) => line.startsWith("Exporting logs to")).length, 1);
  });

  test(`openTelemetry() counts what is more than the queue's bounds by ${protocol}, and keeps the newest`, async (t) => {
    const port = await freePort(t);
    const one = rig(t, { protocol, port, queue: { maxBytes: 32 * 1024 * 1024, maxRecords: 5_000 } });
    for (let round = 0; round < 40; round++) {
      one.emit(512);
      assert.ok(one.telemetry.counts().logs!.waitingRecords <= 5_000);
    }
    assertAccounted(one);
    const collector = await collectorFor(t, protocol, { port });
    await until("the queue is empty", () => one.telemetry.counts().logs!.waitingRecords === 0, 60_000);
    const numbers = assertOrderly(collector.received);
    const { exported, dropped } = one.telemetry.counts().logs!;
    assert.equal(numbers.length, exported);
    assert.equal(exported + dropped.queue_full, 40 * 512);
    assert.ok(exported > 4_000);
    // The first batch was on its way; of the others the newest are there.
    assert.deepEqual(
      numbers.slice(512),
      [...Array(exported - 512).keys()].map((n) => n + one.emitted - (exported - 512)),
    );
  });

  test(`openTelemetry() sends again by ${protocol} what a slow collector did not answer`, async (t) => {
    const sleepy = (request: number) => (request < 3 ? "sleep" : "take");
    const collector = await collectorFor(t, protocol, { grpc: sleepy, http: sleepy });
    const one = rig(t, { protocol, port: collector.port, timeoutMs: 1000 });
    one.emit(1000);
    await until("all came", () => collector.received.length >= 1000);
    assert.equal(assertOrderly(collector.received).length, 1000);
    assert.match(
      one.said[0]!,
      /: no answer within 1 s; check that it keeps up, or raise otlp\.timeoutSeconds$/,
    );
    assert.ok(failedRequests(one.telemetry.counts().logs!) >= 3);
    assertAccounted(one);
  });

  test(`openTelemetry() loses nothing by ${protocol} to a collector that comes and goes`, async (t) => {
    const port = await freePort(t);
    const one = rig(t, { protocol, port });
    const received: Received[] = [];
    for (let round = 0; round < 6; round++) {
      const collector = await collectorFor(t, protocol, {
        port,
        grpc: (request) => (request % 3 === 1 ? { code: GRPC.UNAVAILABLE, details: "memory limit" } : "take"),
        http: (request) => (request % 3 === 1 ? { status: 503, body: "memory limit" } : "take"),
      });
      await one.emitFor(20, 100);
      received.push(...collector.received);
      await collector.stop();
      await one.emitFor(10, 100);
    }
    const collector = await collectorFor(t, protocol, { port });
    await until("the queue is empty", () => one.telemetry.counts().logs!.waitingRecords === 0, 60_000);
    received.push(...collector.received);
    assert.equal(assertOrderly(received).length, one.emitted);
    assert.equal(one.telemetry.counts().logs!.exported, one.emitted);
  });

  test(`openTelemetry() loses nothing by ${protocol} on connections that are reset`, async (t) => {
    const collector = await collectorFor(t, protocol);
    // Breaks off every connection but each fifth after a part of the request, or in the middle of the answer.
    let connections = 0;
    const proxy = await listen(t, (socket) => {
      const number = connections++;
      const onward = connect(collector.port, "127.0.0.1");
      socket.on("error", () => undefined).on("close", () => onward.destroy());
      onward.on("error", () => undefined).on("close", () => socket.destroy());
      socket.pipe(onward).pipe(socket);
      if (number % 5 !== 4) setTimeout(() => socket.resetAndDestroy(), (number % 5) * 4);
    });
    const one = rig(t, { protocol, port: proxy.port });
    one.emit(3000);
    await until("the queue is empty", () => one.telemetry.counts().logs!.exported === 3000, 60_000);
    assert.equal(assertOrderly(collector.received).length, 3000);
    assert.ok(connections > 1);
  });

  test(`openTelemetry() keeps records by ${protocol} while something else than a collector answers`, async (t) => {
    const garbage = await listen(t, (socket) => {
      socket.on("error", () => undefined);
      socket.on("data", () => socket.write("\x15\x03\x01 this is not what you think\r\n\r\n"));
    });
    const one = rig(t, { protocol, port: garbage.port, timeoutMs: 1000 });
    one.emit(1000);
    await until("it was said", () => one.said.length > 0);
    assert.match(one.said[0]!, /does not speak the protocol; check the port and otlp\.protocol/);
    await until("it was tried again", () => failedRequests(one.telemetry.counts().logs!) > 2);
    await garbage.stop();
    const collector = await collectorFor(t, protocol, { port: garbage.port });
    await until("all came", () => one.telemetry.counts().logs!.exported === 1000, 60_000);
    assert.equal(assertOrderly(collector.received).length, 1000);
  });

  test(`openTelemetry() waits by ${protocol} for as long as the collector asks`, async (t) => {
    const collector = await collectorFor(t, protocol, {
      grpc: (request) => (request === 0 ? { code: GRPC.RESOURCE_EXHAUSTED, retryAfterMs: 7_250 } : "take"),
      http: (request) => (request === 0 ? { status: 429, retryAfter: "7" } : "take"),
    });
    const one = rig(t, { protocol, port: collector.port });
    one.emit(512);
    await until("all came", () => collector.received.length === 512);
    const asked = one.waits.filter((ms) => ms >= 7_000);
    assert.equal(asked.length, 1);
    assert.ok(asked[0]! >= (protocol === "grpc" ? 7_250 : 7_000) && asked[0]! <= 8_250);
  });

  test(`openTelemetry() counts by ${protocol} what is refused or rejected`, async (t) => {
    const collector = await collectorFor(t, protocol, {
      grpc: (request) =>
        [
          { code: GRPC.INVALID_ARGUMENT, details: "bad record" },
          { rejected: 5, message: "too old" },
        ][request] ?? "take",
      http: (request) =>
        [
          { status: 400, body: "bad record" },
          { rejected: 5, message: "too old" },
        ][request] ?? "take",
    });
    const one = rig(t, { protocol, port: collector.port });
    one.emit(512 * 3);
    await until("nothing waits", () => one.telemetry.counts().logs!.waitingRecords === 0);
    const { exported, dropped } = one.telemetry.counts().logs!;
    assert.deepEqual(
      { exported, dropped },
      {
        exported: 1019,
        dropped: { queue_full: 0, rejected: 5, non_retryable: 512, shutdown: 0 },
      },
    );
    assert.match(one.said[0]!, /: it answered (INVALID_ARGUMENT|400) \(bad record\)$/);
    assert.ok(one.said.some((line) => /rejected a part of the logs: too old$/.test(line)));
  });

  test(`Telemetry.close() sends by ${protocol} what was just emitted, and counts what it cannot send`, async (t) => {
    const collector = await collectorFor(t, protocol);
    const there = rig(t, { protocol, port: collector.port, speed: 1 });
    there.emit(100);
    await there.telemetry.close({ queueMs: 1000, metricsMs: 1000 });
    assert.equal(collector.received.length, 100);
    assert.equal(there.telemetry.counts().logs!.exported, 100);
    await collector.stop();

    const away = rig(t, { protocol, port: collector.port, speed: 10 });
    away.emit(100);
    await away.telemetry.close({ queueMs: 1000, metricsMs: 1000 });
    const { exported, dropped, waitingRecords } = away.telemetry.counts().logs!;
    assert.deepEqual([exported, dropped.shutdown, waitingRecords], [0, 100, 0]);
  });
}
