import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { PodRecord } from "../../src/event/cluster.ts";
import type { Ends } from "../../src/event/end-name.ts";
import { CAUSES } from "../../src/event/tcp-event.ts";
import { formatPrometheus } from "../../src/export/prometheus-text.ts";
import { RetransmitMetrics, type RetransmitMetricsOptions } from "../../src/export/retransmit-metrics.ts";
import { anEvent } from "./an-event.ts";
import { countOf, readPoints, readValues } from "./read-points.ts";
import { anEnd, CART, CART_END, NODE_A, NODE_B, PRICES, PRICES_END, someEnds } from "./some-ends.ts";

function someMetrics(options: Partial<RetransmitMetricsOptions> = {}) {
  const clock = { nowMs: 1_000 };
  const metrics = new RetransmitMetrics({
    detail: "pod",
    place: { node: "node-a", cluster: "test" },
    now: () => clock.nowMs,
    ...options,
  });
  const count = (event: Parameters<typeof anEvent>[0], ends: Ends | undefined = someEnds()) =>
    metrics.consume([{ event: anEvent(event), ends }]);
  return { clock, metrics, count };
}

const WORKLOAD =
  "source.kind=pod,source.k8s.namespace.name=shop,source.k8s.workload.kind=Deployment,source.k8s.workload.name=cart";
const POD = `${WORKLOAD},source.k8s.pod.name=cart-7d4f9c-x2x`;
const TO_WORKLOAD =
  "destination.kind=workload,destination.name=shop/nightly,destination.k8s.namespace.name=shop";
const TO_POD =
  "destination.kind=pod,destination.name=shop/nightly-29000-abcde,destination.k8s.namespace.name=shop";

const details = [
  { detail: "workload", source: WORKLOAD, destination: TO_WORKLOAD },
  { detail: "pod", source: POD, destination: TO_WORKLOAD },
  { detail: "peer-pod", source: POD, destination: TO_POD },
] as const;

for (const { detail, source, destination } of details) {
  test(`RetransmitMetrics counts sent segments and retransmits by the ends that the detail ${detail} tells apart`, () => {
    const { metrics, count } = someMetrics({ detail });
    count({ cause: "fast", segments: 10 });
    count({ cause: "fast", segments: 2 });
    count({ cause: "timeout", segments: 1 });
    assert.deepEqual(readValues(metrics, "tcp.retransmit.segments"), {
      [`${source},${destination},network.tcp.retransmit.type=fast`]: 12,
      [`${source},${destination},network.tcp.retransmit.type=timeout`]: 1,
    });
    assert.deepEqual(readValues(metrics, "tcp.retransmits"), {
      [`${source},network.tcp.retransmit.type=fast`]: 2,
      [`${source},network.tcp.retransmit.type=timeout`]: 1,
    });
  });
}

const peers = [
  {
    name: "a service without a backend",
    peer: anEnd({ kind: "service", name: "shop/prices", service: PRICES }),
    destination: "destination.kind=service,destination.name=shop/prices,destination.k8s.namespace.name=shop",
  },
  {
    name: "a node",
    peer: anEnd({ kind: "node", name: "node-b", node: NODE_B }),
    destination: "destination.kind=node,destination.name=node-b",
  },
  {
    name: "a range",
    peer: anEnd({ kind: "cidr", name: "office" }),
    destination: "destination.kind=cidr,destination.name=office",
  },
  {
    name: "what is outside",
    peer: anEnd({ kind: "external", name: "external" }),
    destination: "destination.kind=external,destination.name=external",
  },
  {
    name: "what is not known",
    peer: anEnd(),
    destination: "destination.kind=unknown,destination.name=unknown",
  },
];

for (const { name, peer, destination } of peers) {
  test(`RetransmitMetrics gives ${name} one name and its kind as destination`, () => {
    const { metrics, count } = someMetrics();
    count({ cause: "fast" }, someEnds(peer));
    const keys = Object.keys(readValues(metrics, "tcp.retransmit.segments"));
    assert.deepEqual(keys, [`${POD},${destination},network.tcp.retransmit.type=fast`]);
  });
}

test("RetransmitMetrics gives a local end that is no pod its kind alone, and unknown without names", () => {
  const { metrics, count } = someMetrics();
  count({ cause: "syn" }, { ...someEnds(), local: anEnd({ kind: "process", name: "sshd.service" }) });
  metrics.consume([{ event: anEvent({ cause: "syn" }), ends: undefined }]);
  assert.deepEqual(readValues(metrics, "tcp.retransmits"), {
    "source.kind=process,network.tcp.retransmit.type=syn": 1,
    "source.kind=unknown,network.tcp.retransmit.type=syn": 1,
  });
});

test("RetransmitMetrics assumes one segment for an event that does not tell how many", () => {
  const { metrics, count } = someMetrics();
  count({ segments: undefined });
  assert.deepEqual(Object.values(readValues(metrics, "tcp.retransmit.segments")), [1]);
});

test("RetransmitMetrics counts a failed attempt as a failure and as nothing else", () => {
  const { metrics, count } = someMetrics();
  count({ cause: "fast", outcome: "failed", segments: 0 });
  assert.deepEqual(readValues(metrics, "tcp.retransmit.failures"), {
    [`${POD},network.tcp.retransmit.type=fast`]: 1,
  });
  for (const metric of ["tcp.retransmit.segments", "tcp.retransmits", "tcp.retransmit.node_pairs"]) {
    assert.deepEqual(readValues(metrics, metric), {}, metric);
  }
});

test("RetransmitMetrics counts loss probes by what became of them, and the segments of one that retransmitted", () => {
  const { metrics, count } = someMetrics();
  const probe = { kind: "loss_probe", cause: "tail_loss_probe" } as const;
  count({ ...probe, outcome: "sent", segments: 2 });
  count({ ...probe, outcome: "new_data", segments: 0 });
  count({ ...probe, outcome: "new_data", segments: 0 });
  assert.deepEqual(readValues(metrics, "tcp.loss_probes"), {
    [`${POD},tcp.retransmit.outcome=sent`]: 1,
    [`${POD},tcp.retransmit.outcome=new_data`]: 2,
  });
  assert.deepEqual(Object.values(readValues(metrics, "tcp.retransmit.segments")), [2]);
  assert.deepEqual(readValues(metrics, "tcp.retransmits"), {
    [`${POD},network.tcp.retransmit.type=tail_loss_probe`]: 1,
  });
});

test("RetransmitMetrics measures the RTO of timers that expired, per workload, from 0.2 doubling to 102.4 s", () => {
  const { metrics, count } = someMetrics();
  for (const cause of CAUSES) count({ cause, socket: { rto: 0.204 } });
  count({ cause: "timeout", socket: { rto: 120 } });
  count({ cause: "timeout", socket: { rto: undefined } });
  const points = readPoints(metrics, "tcp.retransmit.timeout");
  assert.deepEqual([...points.keys()], [WORKLOAD]);
  const value = points.get(WORKLOAD)?.value;
  assert.ok(typeof value === "object");
  assert.deepEqual(value.bounds, [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4]);
  assert.deepEqual(value.counts, [0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
});

test("RetransmitMetrics.measureStall() measures how long connections stood still, per workload", () => {
  const { metrics } = someMetrics();
  metrics.measureStall(someEnds(), 0.3);
  metrics.measureStall(undefined, 200);
  assert.deepEqual(readValues(metrics, "tcp.stall.duration"), { [WORKLOAD]: 1, "source.kind=unknown": 1 });
});

test("RetransmitMetrics counts segments by the nodes and zones at both ends, as far as they are known", () => {
  const { metrics, count } = someMetrics();
  const far = { ...NODE_B, zone: "eu-1b" };
  count({ segments: 3 });
  count({ segments: 4 }, someEnds({ ...PRICES_END, node: far }));
  count({ segments: 5 }, someEnds(anEnd({ kind: "external", name: "external" })));
  count({ segments: 6 }, someEnds({ ...PRICES_END, node: undefined }));
  assert.deepEqual(readValues(metrics, "tcp.retransmit.node_pairs"), {
    "source.k8s.node.name=node-a,destination.k8s.node.name=node-b": 13,
    "source.k8s.node.name=node-a": 5,
  });
  assert.deepEqual(readValues(metrics, "tcp.retransmit.zone_pairs"), {
    "source.cloud.availability_zone=eu-1a": 14,
    "source.cloud.availability_zone=eu-1a,destination.cloud.availability_zone=eu-1b": 4,
  });
});

test("RetransmitMetrics gives a hundred peer nodes a series, and the rest one", () => {
  const { metrics, count } = someMetrics();
  for (let i = 0; i < 150; i++) {
    const node = { ...NODE_B, uid: `n-${i}`, name: `node-${i}` };
    count({ segments: 2 }, someEnds(anEnd({ kind: "node", name: node.name, node })));
  }
  const values = readValues(metrics, "tcp.retransmit.node_pairs");
  assert.equal(Object.keys(values).length, 101);
  assert.equal(values["source.k8s.node.name=node-a,destination.k8s.node.name=other"], 100);
});

test("RetransmitMetrics.podSeen() has tcp.retransmits of each type at 0 before the pod's first event", () => {
  const { metrics, count } = someMetrics();
  metrics.podSeen(CART);
  const zeroes = CAUSES.map((cause) => [`${POD},network.tcp.retransmit.type=${cause}`, 0]);
  assert.deepEqual(readValues(metrics, "tcp.retransmits"), Object.fromEntries(zeroes));
  assert.deepEqual(readValues(metrics, "tcp.retransmit.segments"), {}, "none with a destination");
  count({ cause: "syn" });
  assert.equal(readValues(metrics, "tcp.retransmits")[`${POD},network.tcp.retransmit.type=syn`], 1);
});

test("RetransmitMetrics puts the node and cluster on every point, and the cluster where it has a name", () => {
  const { metrics, count } = someMetrics();
  count({});
  const unnamed = someMetrics({ place: { node: "node-a", cluster: undefined } });
  unnamed.count({});
  for (const family of metrics.collect(0, "test")) {
    for (const { attributes } of family.points) {
      assert.deepEqual([attributes["k8s.node.name"], attributes["k8s.cluster.name"]], ["node-a", "test"]);
    }
  }
  for (const family of unnamed.metrics.collect(0, "test")) {
    for (const { attributes } of family.points) assert.equal("k8s.cluster.name" in attributes, false);
  }
});

test("RetransmitMetrics marks points that are about one pod, unless the detail is workload", () => {
  for (const detail of ["workload", "pod"] as const) {
    const { metrics, count } = someMetrics({ detail });
    metrics.podSeen(CART);
    count({ cause: "timeout", socket: { rto: 1 } });
    metrics.podCounters(CART.uid, { netns: 1, sent: 1n, retransmitted: 1n, isWhole: false });
    const uids = (metric: string) =>
      new Set([...readPoints(metrics, metric).values()].map(({ podUid }) => podUid));
    const ofPod = new Set([detail === "pod" ? CART.uid : undefined]);
    for (const metric of ["tcp.retransmits", "tcp.retransmit.segments", "tcp.segments.sent"]) {
      assert.deepEqual(uids(metric), ofPod, metric);
    }
    for (const metric of ["tcp.retransmit.timeout", "tcp.retransmit.node_pairs"]) {
      assert.deepEqual(uids(metric), new Set([undefined]), metric);
    }
  }
});

test("RetransmitMetrics.podCounters() adds what the kernel counted for a pod since it was seen", () => {
  const { metrics } = someMetrics();
  const reading = { netns: 4026532001, isWhole: false };
  metrics.podCounters(CART.uid, { ...reading, sent: 5n, retransmitted: 5n });
  assert.deepEqual(readValues(metrics, "tcp.segments.sent"), {}, "nobody has told of the pod");
  metrics.podSeen(CART);
  metrics.podCounters(CART.uid, { ...reading, sent: 1000n, retransmitted: 10n });
  assert.deepEqual(readValues(metrics, "tcp.segments.sent"), { [POD]: 0 });
  metrics.podCounters(CART.uid, { ...reading, sent: 1500n, retransmitted: 12n });
  metrics.podCounters(CART.uid, { ...reading, sent: 20n, retransmitted: 1n });
  assert.deepEqual(readValues(metrics, "tcp.segments.sent"), { [POD]: 520 });
  assert.deepEqual(readValues(metrics, "tcp.segments.retransmitted"), { [POD]: 3 });
});

test("RetransmitMetrics.podCounters() has none for a pod that shares the node's network namespace", () => {
  const { metrics } = someMetrics();
  const pod = { ...CART, hostNetwork: true };
  metrics.podSeen(pod);
  metrics.podCounters(pod.uid, { netns: 1, sent: 5n, retransmitted: 5n, isWhole: true });
  assert.deepEqual(readValues(metrics, "tcp.segments.sent"), {});
});

test("RetransmitMetrics.podCounters() adds up the pods of a workload where that is the detail", () => {
  const { metrics } = someMetrics({ detail: "workload" });
  for (const uid of ["u-1", "u-9"]) {
    metrics.podSeen({ ...CART, uid });
    metrics.podCounters(uid, { netns: 1, sent: 7n, retransmitted: 2n, isWhole: true });
  }
  assert.deepEqual(readValues(metrics, "tcp.segments.sent"), { [WORKLOAD]: 14 });
});

test("RetransmitMetrics keeps a quiet pod's counters, and ends them with the pod", () => {
  const { clock, metrics } = someMetrics({ idleMs: 600_000 });
  const pass = (minutes: number) => {
    for (let i = 0; i < minutes; i++) {
      clock.nowMs += 60_000;
      metrics.collect(clock.nowMs, "test");
      metrics.expire(clock.nowMs);
    }
  };
  metrics.podSeen(CART);
  metrics.podCounters(CART.uid, { netns: 1, sent: 7n, retransmitted: 2n, isWhole: true });
  pass(60);
  assert.deepEqual(readValues(metrics, "tcp.segments.sent", { nowUnixMs: clock.nowMs }), { [POD]: 7 });
  metrics.podGone(CART.uid);
  pass(5);
  assert.equal(metrics.series.size, 0);
  assert.equal(metrics.series.podGone, CAUSES.length + 2);
});

test("RetransmitMetrics counts on in series that were there before its pod was told of, and ends them with it", () => {
  const { clock, metrics, count } = someMetrics();
  count({ cause: "fast" });
  metrics.podSeen(CART);
  count({ cause: "fast" });
  assert.equal(readValues(metrics, "tcp.retransmits")[`${POD},network.tcp.retransmit.type=fast`], 2);
  metrics.podGone(CART.uid);
  for (let i = 0; i < 4; i++) {
    clock.nowMs += 60_000;
    metrics.collect(clock.nowMs, "test");
    metrics.expire(clock.nowMs);
  }
  assert.deepEqual(readValues(metrics, "tcp.retransmit.segments", { nowUnixMs: clock.nowMs }), {});
});

test("RetransmitMetrics counts in a series that lives after one has ended under it", () => {
  const { clock, metrics, count } = someMetrics({ idleMs: 60_000 });
  count({ cause: "fast" });
  metrics.measureStall(someEnds(), 1);
  for (let i = 0; i < 10; i++) {
    clock.nowMs += 60_000;
    metrics.collect(clock.nowMs, "test");
    metrics.expire(clock.nowMs);
  }
  assert.equal(metrics.series.size, 0);
  count({ cause: "fast" });
  metrics.measureStall(someEnds(), 1);
  assert.deepEqual(Object.values(readValues(metrics, "tcp.retransmit.segments")), [1]);
  assert.deepEqual(Object.values(readValues(metrics, "tcp.stall.duration")), [1]);
});

test("RetransmitMetrics has no address, port or peer's pod among its attributes at the default detail", () => {
  const { metrics, count } = someMetrics();
  metrics.podSeen(CART);
  for (const cause of CAUSES) count({ cause, socket: { rto: 1 } });
  const keys = new Set(
    metrics
      .collect(0, "test")
      .flatMap(({ points }) => [...points].flatMap(({ attributes }) => Object.keys(attributes))),
  );
  for (const key of keys) assert.doesNotMatch(key, /address|port$|destination\.k8s\.pod/);
});

test("RetransmitMetrics keeps exact sums and few series while 10,000 pods come and go", () => {
  const { clock, metrics } = someMetrics({ maxPerMetric: 500, maxSeries: 1500 });
  const reader = new Scraper();
  const told = { segments: 0, retransmits: 0, stalls: 0 };
  let mostSeries = 0;
  for (let round = 0; round < 200; round++) {
    const pods = somePods(round);
    for (const pod of pods) metrics.podSeen(pod);
    for (let minute = 0; minute < 3; minute++) {
      for (const { event, ends } of someEvents(pods, minute)) {
        metrics.consume([{ event, ends }]);
        told.segments += event.segments ?? 0;
        told.retransmits++;
        metrics.measureStall(ends, 1);
        told.stalls++;
      }
      clock.nowMs += 60_000;
      metrics.expire(clock.nowMs);
      mostSeries = Math.max(mostSeries, metrics.series.size);
      reader.scrape(metrics, clock.nowMs);
    }
    for (const pod of pods) metrics.podGone(pod.uid);
  }
  for (let i = 0; i < 10; i++) {
    clock.nowMs += 60_000;
    metrics.expire(clock.nowMs);
    reader.scrape(metrics, clock.nowMs);
  }
  const { segments, retransmits, stalls } = told;
  assert.deepEqual(reader.increases, {
    "tcp.retransmit.segments": segments,
    "tcp.retransmit.node_pairs": segments,
    "tcp.retransmit.zone_pairs": segments,
    "tcp.retransmits": retransmits,
    "tcp.stall.duration": stalls,
  });
  assert.ok(metrics.series.refused > 0, "some had no room");
  assert.ok(mostSeries <= 1500, `${mostSeries} series`);
  assert.ok(
    metrics.series.size < 250,
    `${metrics.series.size} are left: those of nodes and zones, until they are idle`,
  );
});

test("RetransmitMetrics uses no more memory after 10,000 pods than after 2,000", () => {
  const { clock, metrics } = someMetrics();
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  const heaps: number[] = [];
  for (let round = 0; round < 200; round++) {
    const pods = somePods(round);
    for (const pod of pods) {
      metrics.podSeen(pod);
      metrics.podCounters(pod.uid, { netns: 1, sent: 1n, retransmitted: 1n, isWhole: true });
    }
    metrics.consume(someEvents(pods, 0));
    for (let minute = 0; minute < 3; minute++) {
      clock.nowMs += 60_000;
      metrics.expire(clock.nowMs);
      for (const { points } of metrics.collect(clock.nowMs, "test")) for (const _ of points);
    }
    for (const pod of pods) metrics.podGone(pod.uid);
    if (round % 40 !== 39) continue;
    collectGarbage();
    heaps.push(process.memoryUsage().heapUsed);
  }
  const grown = Math.max(...heaps.slice(1)) - heaps[0]!;
  assert.ok(grown < 1024 * 1024, `${heaps.map((heap) => (heap / 1024).toFixed(0)).join(", ")} KiB`);
});

/** Fifty pods of twenty workloads that were not there in any other round. */
function somePods(round: number): readonly PodRecord[] {
  return Array.from({ length: 50 }, (_, i) => {
    const name = `pod-${round}-${i}`;
    const workload = { kind: "Job", name: `job-${round}-${i % 20}`, inferred: false };
    return { ...CART, uid: name, name, workload };
  });
}

/** Retransmits of one type from each pod to four nodes, which no other pod has to do with. */
function someEvents(pods: readonly PodRecord[], minute: number) {
  return pods.flatMap((pod, i) =>
    [0, 1, 2, 3].map((peer) => {
      const local = { ...CART_END, pod, name: `shop/${pod.name}` };
      const name = `node-${pod.name}-${peer}`;
      const node = { ...NODE_A, uid: name, name };
      const ends = someEnds(anEnd({ kind: "node", name, node }), { local });
      return { event: anEvent({ cause: CAUSES[(i + minute) % 3]!, segments: peer }), ends };
    }),
  );
}

/** Adds up counters over resets as `increase()` does: what a series begins with does not count. */
class Scraper {
  readonly increases: Record<string, number> = {};
  readonly #last = new Map<string, number>();

  scrape(metrics: RetransmitMetrics, nowMs: number): void {
    for (const { name, points } of metrics.collect(nowMs, "prometheus")) {
      for (const { attributes, value, isNew } of points) {
        const key = `${name} ${JSON.stringify(attributes)}`;
        const shown = isNew ? 0 : countOf(value);
        const last = this.#last.get(key) ?? shown;
        this.increases[name] = (this.increases[name] ?? 0) + (shown >= last ? shown - last : shown);
        this.#last.set(key, shown);
      }
    }
  }
}

test("RetransmitMetrics gives the explicit histogram to who reads text though it counts exponentially too", () => {
  const { metrics, count } = someMetrics({ exponential: true });
  count({ cause: "timeout", socket: { rto: 0.3 } });
  const [point] = readPoints(metrics, "tcp.retransmit.timeout").values();
  assert.ok(typeof point?.value === "object" && point.value.exponential !== undefined);
  assert.equal(countOf(point.value), 1);
  const text = formatPrometheus(metrics.collect(1_000, "test"), { openMetrics: true });
  assert.match(text, /tcp_retransmit_timeout_seconds_bucket\{.*le="0.4"\} 1\n/);
});
