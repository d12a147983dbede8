import assert from "node:assert/strict";
import { test } from "node:test";
import type { MetricFamily, MetricSource } from "../../src/export/metric-family.ts";
import { SELF_METRICS } from "../../src/export/self-metric-definitions.ts";
import { SelfMetrics, type SelfReadings } from "../../src/export/self-metrics.ts";
import { EVENTS, metricsOf, nanos, openPipeline, pointsOf, START_MS, someSeries } from "./otlp-pipeline.ts";
import { CART } from "./some-ends.ts";

test("otlpMetricReader() sends a source's metrics under the agent's resource and its own scope", async () => {
  const { clock, table, event, wait } = someSeries();
  await using pipeline = await openPipeline({ source: table, clock });
  event({ a: "1" }).value = 7;
  wait({}).measure(0.3);
  const [sent, ...others] = await pipeline.flush();
  assert.deepEqual(others, []);
  assert.deepEqual(sent?.resource, { "service.name": "tcpretrans" });
  assert.deepEqual(
    sent?.scopes.map(({ name, version }) => ({ name, version })),
    [{ name: "tcpretrans", version: "1.2.3" }],
  );
  const [events] = metricsOf([sent!], "events");
  assert.deepEqual(
    { ...events, points: undefined },
    {
      name: "events",
      unit: "{event}",
      description: "Events",
      kind: "sum",
      temporality: 2,
      isMonotonic: true,
      points: undefined,
    },
  );
  assert.equal(pipeline.counts.exported, 4);
});

test("otlpMetricReader() sends a new series as 0 at its start and as it is, and later as it is", async () => {
  const { clock, table, event } = someSeries();
  await using pipeline = await openPipeline({ source: table, clock });
  event({ a: "1" }).value = 23;
  const attributes = { "k8s.node.name": "node-a", a: "1" };
  const startNanos = nanos(START_MS);
  assert.deepEqual(pointsOf(await pipeline.flush(), "events"), [
    { attributes, startNanos, timeNanos: startNanos, int: 0n },
    { attributes, startNanos, timeNanos: nanos(START_MS + 10_000), int: 23n },
  ]);
  event({ a: "1" }).value = 25;
  assert.deepEqual(pointsOf(await pipeline.flush(), "events"), [
    { attributes, startNanos, timeNanos: nanos(START_MS + 20_000), int: 25n },
  ]);
});

test("otlpMetricReader() sends an explicit histogram, whose first point is empty", async () => {
  const { clock, table, wait } = someSeries();
  await using pipeline = await openPipeline({ source: table, clock });
  for (const seconds of [0.1, 0.3, 0.3, 5]) wait({}).measure(seconds);
  const [zero, first] = pointsOf(await pipeline.flush(), "waits");
  assert.deepEqual([zero?.count, zero?.sum, zero?.bucketCounts], [0n, 0, [0n, 0n, 0n]]);
  assert.deepEqual([first?.count, first?.sum], [4n, 5.7]);
  assert.deepEqual(
    [first?.bounds, first?.bucketCounts],
    [
      [0.2, 0.4],
      [1n, 2n, 1n],
    ],
  );
});

test("otlpMetricReader() sends an exponential histogram where series count in one", async () => {
  const { clock, table, wait } = someSeries({ exponential: true });
  await using pipeline = await openPipeline({ source: table, clock });
  for (const seconds of [0.25, 1, 0]) wait({}).measure(seconds);
  const sent = await pipeline.flush();
  assert.equal(metricsOf(sent, "waits")[0]?.kind, "exponentialHistogram");
  const [zero, first] = pointsOf(sent, "waits");
  assert.deepEqual([zero?.count, zero?.zeroCount, zero?.positive?.counts], [0n, 0n, []]);
  assert.deepEqual([first?.count, first?.sum, first?.zeroCount, first?.scale], [3n, 1.25, 1n, 6]);
  const counts = Array.from({ length: 129 }, (_, i) => (i === 0 || i === 128 ? 1n : 0n));
  assert.deepEqual(first?.positive, { offset: -129, counts });
});

test("otlpMetricReader() sends deltas: all at first, then what moved, and nothing of what did not", async () => {
  const { clock, table, event, wait } = someSeries({ exponential: true });
  await using pipeline = await openPipeline({ source: table, clock, temporality: "delta" });
  event({ a: "1" }).value = 23;
  event({ a: "2" });
  wait({}).measure(0.25);
  const first = await pipeline.flush();
  assert.equal(metricsOf(first, "events")[0]?.temporality, 1);
  assert.deepEqual(
    pointsOf(first, "events").map(({ startNanos, int }) => [startNanos, int]),
    [
      [nanos(START_MS), 23n],
      [nanos(START_MS), 0n],
    ],
  );
  event({ a: "1" }).value += 2;
  wait({}).measure(4);
  const second = await pipeline.flush();
  assert.deepEqual(
    pointsOf(second, "events").map(({ startNanos, timeNanos, int }) => [startNanos, timeNanos, int]),
    [[nanos(START_MS + 10_000), nanos(START_MS + 20_000), 2n]],
  );
  const [waited] = pointsOf(second, "waits");
  assert.deepEqual([waited?.count, waited?.sum, waited?.positive?.counts], [1n, 4, [1n]]);
  assert.deepEqual(await pipeline.flush(), [], "no request where there is nothing to say");
});

test("otlpMetricReader() with lowmemory sends deltas of what is counted and the sums of what is observed", async () => {
  const { clock, table, event } = someSeries();
  const observed: MetricFamily = {
    ...EVENTS,
    name: "observed",
    isObserved: true,
    points: [{ attributes: {}, startUnixMs: START_MS, value: 5, isNew: false, podUid: undefined }],
  };
  const source: MetricSource = {
    collect: (nowUnixMs, reader) => [...table.collect(nowUnixMs, reader), observed],
    missed: () => {},
  };
  await using pipeline = await openPipeline({ source, clock, temporality: "lowmemory" });
  event({}).value = 1;
  await pipeline.flush();
  event({}).value = 4;
  const sent = await pipeline.flush();
  assert.deepEqual([metricsOf(sent, "events")[0]?.temporality, pointsOf(sent, "events")[0]?.int], [1, 3n]);
  assert.deepEqual(
    [metricsOf(sent, "observed")[0]?.temporality, pointsOf(sent, "observed")[0]?.int],
    [2, 5n],
  );
});

test("otlpMetricReader() sends gauges as they are, whole numbers as such and seconds as doubles", async () => {
  const clock = { nowMs: START_MS };
  const nothing = Object.fromEntries(Object.keys(SELF_METRICS).map((key) => [key, () => undefined]));
  const readings: SelfReadings = {
    ...(nothing as unknown as SelfReadings),
    watchAge: () => 2,
    waiting: () => 3,
    tickTime: () => 1.5,
  };
  const source = new SelfMetrics({
    place: { node: "node-a", cluster: "test" },
    startUnixMs: START_MS,
    readings,
  });
  await using pipeline = await openPipeline({ source, clock, temporality: "delta" });
  const sent = await pipeline.flush();
  const attributes = { "k8s.node.name": "node-a", "k8s.cluster.name": "test" };
  const times = { startNanos: nanos(START_MS), timeNanos: nanos(START_MS + 10_000) };
  assert.deepEqual(pointsOf(sent, "tcpretrans.watch.age"), [{ attributes, ...times, double: 2 }]);
  assert.deepEqual(pointsOf(sent, "tcpretrans.names.waiting"), [{ attributes, ...times, int: 3n }]);
  assert.deepEqual(pointsOf(sent, "tcpretrans.tick.time"), [{ attributes, ...times, double: 1.5 }]);
});

for (const temporality of ["cumulative", "delta", "lowmemory"] as const) {
  test(`otlpMetricReader() sends what goes up and down as a cumulative sum that is not monotonic, in ${temporality} too`, async () => {
    const clock = { nowMs: START_MS };
    let value = 7;
    const point = { attributes: {}, startUnixMs: START_MS, isNew: true, podUid: undefined };
    const source: MetricSource = {
      collect: () => [
        {
          ...{ name: "memory", unit: "By", kind: "updowncounter", description: "" },
          points: [{ ...point, value }],
        },
      ],
      missed: () => {},
    };
    await using pipeline = await openPipeline({ source, clock, temporality });
    for (value of [7, 5]) {
      const sent = await pipeline.flush();
      const [metric] = metricsOf(sent, "memory");
      assert.deepEqual([metric?.kind, metric?.temporality, metric?.isMonotonic], ["sum", 2, false]);
      assert.deepEqual(
        pointsOf(sent, "memory").map(({ int }) => int),
        [BigInt(value)],
      );
    }
  });
}

test("otlpMetricReader() sends the overflow attribute as a boolean", async () => {
  const { clock, table } = someSeries();
  const crowded = table.metric({ ...EVENTS, name: "crowded" }, { max: 1 });
  await using pipeline = await openPipeline({ source: table, clock });
  crowded({ a: "1" });
  crowded({ a: "2" });
  const [, , , overflow] = pointsOf(await pipeline.flush(), "crowded");
  assert.equal(overflow?.attributes["otel.metric.overflow"], true);
});

test("otlpMetricReader() never sends a time that is not after the last, though the clock is set back", async () => {
  const { clock, table, event } = someSeries();
  await using pipeline = await openPipeline({ source: table, clock });
  event({}).value = 1;
  const times = pointsOf(await pipeline.flush(), "events").map(({ timeNanos }) => timeNanos);
  clock.nowMs -= 3_600_000;
  event({ late: "1" }).value = 1;
  for (let i = 0; i < 2; i++) {
    const [point] = pointsOf(await pipeline.flush(), "events");
    times.push(point!.timeNanos);
  }
  assert.deepEqual(
    times,
    [...times].sort((a, b) => Number(a - b)),
  );
  assert.equal(new Set(times).size, times.length);
});

test("otlpMetricReader() sends a series that began long before its receiver was there as 0 half an hour ago", async () => {
  const { clock, table, event } = someSeries();
  await using pipeline = await openPipeline({ source: table, clock });
  event({}).value = 7;
  clock.nowMs += 7_200_000;
  const now = clock.nowMs + 10_000;
  assert.deepEqual(
    pointsOf(await pipeline.flush(), "events").map(({ timeNanos, int }) => [timeNanos, int]),
    [
      [nanos(now - 1_800_000), 0n],
      [nanos(now), 7n],
    ],
  );
});

test("otlpMetricReader() sends the last state when it is shut down", async () => {
  const { clock, table, event } = someSeries();
  const pipeline = await openPipeline({ source: table, clock });
  event({}).value = 3;
  await pipeline.flush();
  event({}).value = 4;
  event({ a: "new" }).value = 5;
  await pipeline.provider.shutdown();
  assert.equal(pipeline.receiver.requests.length, 2);
  assert.equal(pipeline.counts.exported, 2 + 3);
  await pipeline.receiver[Symbol.asyncDispose]();
});

const GONE = { ...CART, uid: "u-gone" };

test("otlpMetricReader() puts points about one pod on its resource, and all others on the agent's", async () => {
  const { clock, table, event, wait } = someSeries();
  const podResource = (uid: string) =>
    uid === CART.uid ? { "k8s.pod.uid": uid, "service.name": "cart" } : undefined;
  await using pipeline = await openPipeline({ source: table, clock, podResource });
  event({ pod: "cart" }, CART).value = 1;
  event({ pod: "unknown" }, GONE).value = 2;
  event({ node: "x" }).value = 3;
  wait({ workload: "cart" }, CART).measure(1);
  const byResource = Object.fromEntries(
    (await pipeline.flush()).map((metrics) => [
      metrics.resource["service.name"],
      metrics.scopes.flatMap((scope) => scope.metrics.flatMap(({ name, points }) => [name, points.length])),
    ]),
  );
  assert.deepEqual(byResource, { tcpretrans: ["events", 4, "waits", 2], cart: ["events", 2] });
});

test("otlpMetricReader() begins anew for a pod that comes under the name of one before, on its own resource", async () => {
  const { clock, table, event } = someSeries();
  const again = { ...CART, uid: "u-again" };
  const podResource = (uid: string) => ({ "k8s.pod.uid": uid });
  await using pipeline = await openPipeline({ source: table, clock, podResource });
  event({ pod: "cart-0" }, CART).value = 10;
  await pipeline.flush();
  event({ pod: "cart-0" }, again).value += 3;
  const [sent, ...others] = await pipeline.flush();
  assert.deepEqual(others, []);
  assert.deepEqual(sent?.resource, { "k8s.pod.uid": again.uid });
  const startNanos = nanos(START_MS + 10_000);
  assert.deepEqual(
    pointsOf([sent!], "events").map((point) => [point.startNanos, point.timeNanos, point.int]),
    [
      [startNanos, startNanos, 0n],
      [startNanos, nanos(START_MS + 20_000), 3n],
    ],
  );
  event({ pod: "cart-0" }, again).value += 1;
  assert.deepEqual(
    pointsOf(await pipeline.flush(), "events").map(({ int }) => int),
    [4n],
  );
});

test("otlpMetricReader() keeps a pod's resource as long as it has points, and begins anew where it comes late", async () => {
  const { clock, table, event } = someSeries();
  const known = new Map<string, { "k8s.pod.uid": string }>();
  await using pipeline = await openPipeline({ source: table, clock, podResource: (uid) => known.get(uid) });
  const round = async () => {
    event({ pod: "cart" }, CART).value += 5;
    const [sent, ...others] = await pipeline.flush();
    assert.deepEqual(others, []);
    return [Object.keys(sent?.resource ?? {}), pointsOf([sent!], "events").map(({ int }) => int)];
  };
  assert.deepEqual(await round(), [["service.name"], [0n, 5n]]);
  known.set(CART.uid, { "k8s.pod.uid": CART.uid });
  assert.deepEqual(await round(), [["k8s.pod.uid"], [0n, 5n]]);
  known.clear();
  assert.deepEqual(await round(), [["k8s.pod.uid"], [10n]], "the pod is gone, its series not yet");
});

test("otlpMetricReader() goes on with a series whose pod came back, where pods have no resources", async () => {
  const { clock, table, event } = someSeries();
  await using pipeline = await openPipeline({ source: table, clock });
  event({ pod: "cart-0" }, CART).value = 10;
  await pipeline.flush();
  event({ pod: "cart-0" }, { ...CART, uid: "u-again" }).value += 3;
  assert.deepEqual(
    pointsOf(await pipeline.flush(), "events").map(({ int }) => int),
    [13n],
  );
});
