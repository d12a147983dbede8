import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Handover } from "../../src/agent/handover.ts";
import { Enricher } from "../../src/enrich/enricher.ts";
import type { SocketKey, TcpEvent } from "../../src/event/tcp-event.ts";
import { type TraceNanos, traceNanos } from "../../src/event/trace-nanos.ts";
import { Coverage } from "../../src/reconcile/coverage.ts";
import type { NamespaceRead } from "../../src/reconcile/observed-window.ts";
import { APP, aPod, aWorld, NOW_MS, type World } from "../enrich/a-world.ts";
import { anEvent, EVERY_FIELD } from "../export/an-event.ts";
import { counters, KPROBE } from "../reconcile/observations.ts";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

const DAY_S = 86_400;
const TICK_S = 4;
const READING_S = 60;
const PODS = 10_000;
/** Pods of the node that live at a time: each for some 14 minutes. */
const ALIVE = 100;
/** Numbers of namespaces are given again. */
const NAMESPACES = 5_000;
const EVENTS_PER_TICK = 8;

interface Living {
  readonly number: number;
  readonly netns: number;
  readonly cgroup: bigint;
  readonly address: string;
  /** RetransSegs of its namespace. */
  segments: number;
}

/** A node whose pods come and go, with what the kernel counts in their namespaces. */
class Node {
  readonly world: World = aWorld();
  readonly living: Living[] = [];
  died = 0;
  /** Segments in namespaces that are gone, since these were read last. */
  unread = 0;
  #born = 0;
  readonly #readAt = new Map<number, number>();

  /** Pods are born and die up to a second. */
  pass(second: number): void {
    for (; this.#born < (second * PODS) / DAY_S; this.#born++) this.#live(this.#born);
    while (this.living.length > ALIVE) this.#die();
  }

  read(time: TraceNanos): readonly NamespaceRead[] {
    return this.living.map(({ netns, segments }) => {
      this.#readAt.set(netns, segments);
      return { netns, from: time, until: time, counters: counters({ RetransSegs: segments }) };
    });
  }

  #live(number: number): void {
    const netns = 10_000 + (number % NAMESPACES);
    const cgroup = BigInt(100_000 + number);
    const address = `10.244.${10 + (number % 40)}.${2 + (Math.floor(number / 40) % 250)}`;
    const containers = new Map([[APP, "app"]]);
    const pod = aPod(`work-${number}`, { containers });
    this.world.addPod(pod, { addresses: [address], cgroup, netns });
    this.living.push({ number, netns, cgroup, address, segments: 0 });
  }

  #die(): void {
    const gone = this.living.shift();
    if (gone === undefined) return;
    this.died++;
    this.unread += gone.segments - (this.#readAt.get(gone.netns) ?? 0);
    this.#readAt.delete(gone.netns);
    this.world.pods.delete(`uid-work-${gone.number}`);
    this.world.cgroups.delete(gone.cgroup);
    this.world.namespaces.delete(gone.netns);
    this.world.podsAt.delete(gone.address);
  }
}

/** One retransmit of a pod, to a peer that is known, or to one that nobody knows. */
function eventOf(pod: Living, time: TraceNanos, turn: number): TcpEvent {
  pod.segments++;
  const { netns, cgroup: cgroupId, address: localAddress } = pod;
  const peerAddress = turn % 7 === 0 ? `203.0.113.${turn % 250}` : "10.244.2.9";
  // Sockets' places are used again, by other connections.
  const key = (64 * (turn % 100_000)) as SocketKey;
  const ends = { localAddress, localPort: 1024 + (turn % 60_000), peerAddress, peerPort: 5432 };
  return anEvent({
    time,
    rung: "kprobe",
    segments: 1,
    socket: { ...EVERY_FIELD, key, netns, cgroupId, ...ends },
  });
}

/** What is held after a collection of garbage, in MiB. */
function heapMiB(): number {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

test("Names, coverage and turns hold as much after a day of 10,000 pods that come and go as after two hours, and are right", {
  timeout: 60_000,
}, (t) => {
  const node = new Node();
  const enricher = new Enricher({ sources: node.world.sources(), unixMs: (time) => NOW_MS + time / 1e6 });
  const coverage = new Coverage(KPROBE);
  let now = traceNanos(0);
  const handover = new Handover({ older: () => [], now: () => now, epochNanos: 0n });
  const heaps: number[] = [];
  let [events, named, turn] = [0, 0, 0];
  node.pass(TICK_S);
  coverage.hold();
  assert.ok(coverage.baseline(node.read(now)));
  for (let second = TICK_S; second <= DAY_S; second += TICK_S) {
    now = traceNanos(second * 1e9);
    node.pass(second);
    const batch = Array.from({ length: EVENTS_PER_TICK }, (_, i) => {
      const pod = node.living[turn++ % node.living.length];
      if (pod === undefined) throw new Error("No pod lives");
      return eventOf(pod, traceNanos((second - 1) * 1e9 + i), turn);
    });
    events += batch.length;
    for (const event of batch) coverage.observe(event);
    for (const { event, ends } of enricher.enrich(handover.admit(batch), now))
      if (ends?.local.pod?.name === podOf(node, event)) named++;
    if (second % READING_S === 0) {
      coverage.hold();
      coverage.reading(node.read(now));
    }
    if (second % 7200 === 0) heaps.push(heapMiB());
  }
  const [first = 0] = heaps;
  const last = heaps.at(-1) ?? 0;
  t.diagnostic(`heap every 2 h, MiB: ${heaps.map((heap) => heap.toFixed(1)).join(" ")}`);
  assert.ok(last < first + 4, `${first} → ${last} MiB`);
  assert.ok(node.died > PODS - 2 * ALIVE);
  assert.equal(enricher.counts.own, events);
  assert.equal(named, events);
  const { segments, segmentsLeftOut } = coverage.totals;
  assert.equal(segments.seen, segments.kernel);
  assert.equal(segments.seen + segmentsLeftOut, events);
  assert.equal(segmentsLeftOut, node.unread);
});

function podOf({ living }: Node, { socket }: TcpEvent): string | undefined {
  const pod = living.find(({ netns }) => netns === socket.netns);
  return pod && `work-${pod.number}`;
}
