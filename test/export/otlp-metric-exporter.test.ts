import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Server, ServerCredentials, type sendUnaryData, status } from "@grpc/grpc-js";
import { OTLPMetricExporter as GrpcExporter } from "@opentelemetry/exporter-metrics-otlp-grpc";
import { ProtobufMetricsSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { AggregationTemporality, MeterProvider } from "@opentelemetry/sdk-metrics";
import fc from "fast-check";
import type { MetricSource } from "../../src/export/metric-family.ts";
import { OtlpMetricExporter } from "../../src/export/otlp-metric-exporter.ts";
import { otlpMetricProducer } from "../../src/export/otlp-metric-producer.ts";
import { otlpMetricReader } from "../../src/export/otlp-metric-reader.ts";
import { metricRequests } from "../../src/export/otlp-metric-requests.ts";
import { MetricStreams } from "../../src/export/otlp-metric-streams.ts";
import { decodeMetrics } from "../support/otlp-metrics.ts";
import { EVENTS, exporterTo, nanos, openPipeline, pointsOf, START_MS, someSeries } from "./otlp-pipeline.ts";

const MIB = 1024 * 1024;

/** A source that notes what did not arrive. */
function noting(source: MetricSource) {
  const missed: number[] = [];
  return {
    missed,
    source: {
      collect: (nowUnixMs: number, reader: string) => source.collect(nowUnixMs, reader),
      missed: (reader: string, atMs: number) => {
        missed.push(atMs);
        source.missed(reader, atMs);
      },
    },
  };
}

/** 2,000 series with a name of so many bytes; with their zeroes they are 4,000 points. */
function many(bytes: number) {
  const { clock, table } = someSeries();
  const find = table.metric({ ...EVENTS, name: "many" });
  for (let i = 0; i < 2_000; i++) find({ long: `${i}`.padStart(bytes, "x") }).value = 1;
  return { clock, table };
}

test("OtlpMetricExporter does not send what failed again: the next state goes, a new series still from its 0", async () => {
  const { clock, table, event } = someSeries();
  const { source, missed } = noting(table);
  await using pipeline = await openPipeline({
    source,
    clock,
    answer: (request) => (request === 0 ? 503 : undefined),
  });
  event({}).value = 5;
  await pipeline.flush();
  assert.deepEqual(missed, [START_MS + 10_000]);
  event({}).value = 8;
  const sent = await pipeline.flush();
  assert.equal(pipeline.receiver.requests.length, 2);
  assert.deepEqual(
    pointsOf(sent, "events").map(({ timeNanos, int }) => [timeNanos, int]),
    [
      [nanos(START_MS), 0n],
      [nanos(START_MS + 20_000), 8n],
    ],
  );
  assert.deepEqual([...pipeline.counts.failures], [["retryable", 1]]);
  assert.equal(pipeline.counts.exported, 2);
});

test("OtlpMetricExporter has in the next delta what the failed one had", async () => {
  const { clock, table, event, wait } = someSeries();
  const answer = (request: number) => (request === 1 ? 401 : undefined);
  await using pipeline = await openPipeline({ source: table, clock, temporality: "delta", answer });
  const round = async () => {
    event({}).value += 5;
    wait({}).measure(0.3);
    const sent = await pipeline.flush();
    const [counted] = pointsOf(sent, "events");
    return [counted?.startNanos, counted?.int, pointsOf(sent, "waits")[0]?.bucketCounts];
  };
  assert.deepEqual(await round(), [nanos(START_MS), 5n, [0n, 1n, 0n]]);
  assert.deepEqual(await round(), [nanos(START_MS + 10_000), 5n, [0n, 1n, 0n]]);
  assert.deepEqual(await round(), [nanos(START_MS + 10_000), 10n, [0n, 2n, 0n]], "the refused one is in it");
  assert.deepEqual([...pipeline.counts.failures], [["401", 1]]);
});

test("OtlpMetricExporter does not send again what a receiver will never have, not even the 0 of a new series", async () => {
  for (const { temporality, int } of [
    { temporality: "cumulative", int: 8n },
    { temporality: "delta", int: 3n },
  ] as const) {
    const { clock, table, event } = someSeries();
    const { source, missed } = noting(table);
    const answer = (request: number) => (request === 0 ? 400 : undefined);
    await using pipeline = await openPipeline({ source, clock, temporality, answer });
    event({}).value = 5;
    await pipeline.flush();
    event({}).value = 8;
    const points = pointsOf(await pipeline.flush(), "events");
    assert.deepEqual(
      points.map((point) => point.int),
      [int],
    );
    assert.deepEqual(missed, [], "it has been there");
    assert.deepEqual([...pipeline.counts.failures], [["400", 1]]);
  }
});

test("OtlpMetricExporter keeps what ended while the receiver was away until that has the last of it", async () => {
  const { clock, table, event } = someSeries();
  let isAway = false;
  await using pipeline = await openPipeline({
    source: table,
    clock,
    answer: () => (isAway ? 503 : undefined),
  });
  const pass = async (states: number) => {
    let sent: Awaited<ReturnType<typeof pipeline.flush>> = [];
    for (let i = 0; i < states; i++) {
      clock.nowMs += 50_000;
      sent = await pipeline.flush();
      table.expire(clock.nowMs);
    }
    return sent;
  };
  const pod = { uid: "u-1" };
  table.podSeen(pod.uid, () => []);
  await pass(2);
  isAway = true;
  const series = event({ pod: "a" });
  series.value = 9;
  table.retire(series, "podGone");
  await pass(10);
  isAway = false;
  assert.equal(pointsOf(await pass(1), "events").at(-1)?.int, 9n);
  await pass(2);
  assert.equal(table.size, 0);
});

test("OtlpMetricExporter sends no more than 3 MiB at once, every point once, one request after the other", async () => {
  const { clock, table } = many(1_700);
  await using pipeline = await openPipeline({
    source: table,
    clock,
    answer: async () => {
      await setImmediate();
      return undefined;
    },
  });
  const points = pointsOf(await pipeline.flush(), "many");
  const sizes = pipeline.receiver.requests.map(({ body }) => body.length);
  const keys = points.map(({ attributes, int }) => `${attributes["long"]} ${int}`);
  assert.deepEqual([keys.length, new Set(keys).size], [4_000, 4_000]);
  assert.ok(Math.max(...sizes) <= 3 * MIB, `${sizes}`);
  assert.ok(
    sizes.slice(0, -1).every((size) => size > 2.5 * MIB),
    `${sizes}`,
  );
  assert.equal(pipeline.receiver.open.most, 1);
});

test("OtlpMetricExporter goes on behind a request that was refused for what is in it, and stops behind any other", async () => {
  for (const { code, requests, exported } of [
    { code: 413, requests: 3, exported: 2_450 },
    { code: 400, requests: 3, exported: 2_450 },
    { code: 500, requests: 1, exported: 0 },
  ]) {
    const { clock, table } = many(700);
    const answer = (request: number) => (request === 0 ? code : undefined);
    await using pipeline = await openPipeline({ source: table, clock, maxBytes: 1.2 * MIB, answer });
    await pipeline.flush();
    assert.equal(pipeline.receiver.requests.length, requests, `${code}`);
    assert.deepEqual([...pipeline.counts.failures], [[`${code}`, 1]]);
    assert.ok(Math.abs(pipeline.counts.exported - exported) < 200, `${pipeline.counts.exported}`);
  }
});

test("OtlpMetricExporter lets a state that waits give way to a newer one: no point older than one before", async () => {
  const { clock, table, event } = someSeries();
  const { source, missed } = noting(table);
  const release = Promise.withResolvers<undefined>();
  await using pipeline = await openPipeline({
    source,
    clock,
    answer: (request) => (request === 0 ? release.promise : undefined),
  });
  const exporter = new OtlpMetricExporter({
    exporter: exporterTo(pipeline.receiver.url),
    source,
    temporality: "cumulative",
  });
  const producer = otlpMetricProducer({ source, scope: { name: "test" }, now: () => clock.nowMs });
  const results: string[] = [];
  const states: Promise<void>[] = [];
  for (const name of ["first", "second", "third"]) {
    event({}).value++;
    clock.nowMs += 1_000;
    const { resourceMetrics } = await producer.collect();
    const { promise, resolve } = Promise.withResolvers<void>();
    states.push(promise);
    exporter.export({ ...resourceMetrics, resource: resourceFromAttributes({}) }, ({ code }) => {
      results.push(`${name} ${code === 0}`);
      resolve();
    });
  }
  release.resolve(undefined);
  await Promise.all(states);
  assert.deepEqual(results, ["first true", "second false", "third true"]);
  assert.deepEqual([...exporter.counts.failures], [["superseded", 1]]);
  assert.deepEqual(missed, [START_MS + 2_000]);
  const sent = pipeline.receiver.requests.flatMap(({ body }) => pointsOf(decodeMetrics(body), "events"));
  assert.deepEqual(
    sent.map(({ timeNanos, int }) => [timeNanos, int]),
    [
      [nanos(START_MS), 0n],
      [nanos(START_MS + 1_000), 1n],
      [nanos(START_MS + 3_000), 3n],
    ],
  );
});

test("OtlpMetricExporter passes the SDK's own metrics on as they are", async () => {
  const { clock, table, event } = someSeries();
  await using pipeline = await openPipeline({ source: table, clock, temporality: "delta" });
  event({}).value = 1;
  pipeline.provider.getMeter("of the SDK").createCounter("own").add(5);
  const sent = await pipeline.flush();
  const scopes = sent.flatMap((metrics) => metrics.scopes.map(({ name }) => name));
  assert.deepEqual(scopes, ["of the SDK", "tcpretrans"]);
  assert.equal(pointsOf(sent, "own")[0]?.double, 5);
});

test("OtlpMetricExporter counts a refused connection and one that answers too late", async () => {
  const { clock, table, event } = someSeries();
  const never = Promise.withResolvers<undefined>();
  const pipeline = await openPipeline({ source: table, clock, answer: () => never.promise });
  event({}).value = 1;
  await pipeline.flush();
  await pipeline.receiver[Symbol.asyncDispose]();
  await pipeline.flush();
  assert.deepEqual(
    [...pipeline.counts.failures],
    [
      ["timeout", 1],
      ["ECONNREFUSED", 1],
    ],
  );
});

test("OtlpMetricExporter sends over gRPC, and counts its status by name", async () => {
  const bodies: Buffer[] = [];
  const server = new Server();
  const bytes = (value: Buffer) => value;
  const path = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
  const codec = {
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
  server.addService(
    { export: { path, requestStream: false, responseStream: false, ...codec } },
    {
      export: ({ request }: { readonly request: Buffer }, done: sendUnaryData<Buffer>) => {
        bodies.push(request);
        if (bodies.length === 1) done({ code: status.UNAVAILABLE });
        else done(null, Buffer.alloc(0));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  const { clock, table, event } = someSeries();
  const exporter = new GrpcExporter({ url: `http://127.0.0.1:${port}` });
  const { reader, counts } = otlpMetricReader({
    ...{ exporter, source: table, temporality: "cumulative", version: "1.2.3" },
    ...{ intervalMs: 1e9, timeoutMs: 30_000, now: () => clock.nowMs },
  });
  const provider = new MeterProvider({ readers: [reader] });
  event({}).value = 7;
  await provider.forceFlush();
  await provider.forceFlush();
  await provider.shutdown();
  server.forceShutdown();
  assert.deepEqual([...counts.failures], [["UNAVAILABLE", 1]]);
  assert.deepEqual(
    pointsOf(decodeMetrics(bodies[1]!), "events").map(({ int }) => int),
    [0n, 7n],
  );
});

test("OtlpMetricExporter answers the SDK what temporality its exporter would have", () => {
  const { table } = someSeries();
  const exporter = new OtlpMetricExporter({
    exporter: exporterTo("http://127.0.0.1:1"),
    source: table,
    temporality: "delta",
  });
  assert.equal(exporter.selectAggregationTemporality("COUNTER" as never), AggregationTemporality.CUMULATIVE);
});

test("metricRequests() packs any metrics into requests of the size that it is told, as the SDK writes them", async () => {
  const attributes = fc.dictionary(
    fc.string({ unit: "grapheme", maxLength: 40 }),
    fc.string({ unit: "grapheme", maxLength: 80 }),
    {
      maxKeys: 12,
    },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(attributes, { minLength: 1, maxLength: 60 }),
      fc.boolean(),
      async (all, exponential) => {
        const { table, event } = someSeries({ exponential });
        const wait = table.metric(
          { ...EVENTS, name: "w", kind: "histogram", unit: "s" },
          { bounds: [0.2, 0.4] },
        );
        for (const [i, each] of all.entries()) {
          event(each).value = i;
          for (let k = 0; k < 5; k++) wait(each).measure(0.01 * 3 ** k);
        }
        const maxBytes = 8_000;
        const requests = await packed(table, maxBytes);
        const sizes = requests.map(
          ({ metrics }) => ProtobufMetricsSerializer.serializeRequest(metrics)?.length ?? 0,
        );
        assert.ok(
          sizes.every((size) => size <= maxBytes),
          `${sizes}`,
        );
        assert.equal(
          requests.reduce((sum, { points }) => sum + points.length, 0),
          table.size * 2,
        );
      },
    ),
    { numRuns: 60 },
  );
});

test("metricRequests() gives a point that alone is too much a request of its own", async () => {
  const { table, event } = someSeries();
  for (const name of ["a", "x".repeat(5_000), "b"]) event({ name });
  const points = (await packed(table, 2_000)).map((request) => request.points.length);
  assert.deepEqual(points, [2, 1, 1, 2]);
});

async function packed(source: MetricSource, maxBytes: number) {
  const scope = { name: "tcpretrans", version: "1.2.3" };
  const streams = new MetricStreams("cumulative");
  const { resourceMetrics } = await otlpMetricProducer({ source, scope, now: () => START_MS }).collect();
  const resource = resourceFromAttributes({ "service.name": "tcpretrans", list: ["a", "b"] });
  const metrics = resourceMetrics.scopeMetrics.flatMap((each) => each.metrics);
  return metricRequests(
    metrics.map((metric) => streams.outgoing(metric, { isObserved: false, resourceOf: () => undefined })),
    { resource, scope, maxBytes },
  );
}
