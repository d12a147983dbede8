import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Enricher } from "../../src/enrich/enricher.ts";
import type { EnrichedEvent } from "../../src/event/end-name.ts";
import { TCP_FIN_WAIT1, TCP_NEW_SYN_RECV, TCP_SYN_SENT } from "../../src/event/kernel-tcp.ts";
import type { SocketFields, SocketKey, TcpEvent } from "../../src/event/tcp-event.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { anEvent } from "../export/an-event.ts";
import { aPod, aService, aWorld, HOST_NETNS, NOW_MS, type World } from "./a-world.ts";

const MS = 1e6;
const TICK_MS = 200;

/** An event of shop/cart-1 to shop/db-1 at a time in ms. */
function at(ms: number, socket: Partial<SocketFields> & { readonly key?: SocketKey } = {}): TcpEvent {
  const own = { localAddress: "10.244.1.5", peerAddress: "10.244.2.9", peerPort: 5432 };
  return anEvent({
    time: traceNanos(ms * MS),
    cause: "timeout",
    socket: { ...own, cgroupId: 500n, netns: 7, key: 7 as SocketKey, ...socket },
  });
}

/** An event of a pod that the API does not know yet. */
function early(ms: number, key = 9): TcpEvent {
  return at(ms, {
    key: key as SocketKey,
    localPort: 1000 + key,
    localAddress: "10.244.1.6",
    cgroupId: 600n,
    netns: 8,
  });
}

function aStart(change: (world: World) => void = () => {}) {
  const world = aWorld();
  world.cgroups.set(600n, { kind: "pod", podUid: "uid-new-1", containerId: undefined });
  world.namespaces.set(8, { kind: "pod", podUid: "uid-new-1" });
  change(world);
  const enricher = new Enricher({ sources: world.sources(), unixMs: (time) => NOW_MS + time / MS });
  let now: number | undefined;
  // On the way there it ticks as the program does.
  const tick = (ms: number, ...events: readonly TcpEvent[]) => {
    const gone: EnrichedEvent[] = [];
    now ??= ms;
    while (ms - now > TICK_MS) {
      now += TICK_MS;
      gone.push(...enricher.enrich([], traceNanos(now * MS)));
    }
    now = ms;
    return shown([...gone, ...enricher.enrich(events, traceNanos(ms * MS))]);
  };
  return { world, enricher, tick };
}

/** `time in ms: local → peer`. */
function shown(events: readonly EnrichedEvent[]): readonly string[] {
  return events.map(({ event, ends }) => `${event.time / MS}: ${ends?.local.name} → ${ends?.peer.name}`);
}

test("Enricher gives the names of both ends at once where all is known", () => {
  const { enricher, tick } = aStart();
  assert.deepEqual(tick(10, at(1), at(2, { peerAddress: "10.96.0.7" })), [
    "1: shop/cart-1 → shop/db-1",
    "2: shop/cart-1 → shop/db",
  ]);
  const { own, undetermined, foreign, local, peer, waited } = enricher.counts;
  assert.deepEqual(
    { own, undetermined, foreign, waited },
    { own: 2, undetermined: 0, foreign: 0, waited: 0 },
  );
  assert.equal(local.cgroup, 2);
  assert.equal(peer.address, 2);
});

test("Enricher gives the same object for a connection's ends as long as they say the same", () => {
  const { world, enricher } = aStart();
  const ends = (ms: number) => enricher.enrich([at(ms)], traceNanos(ms * MS))[0]?.ends;
  const first = ends(1);
  assert.equal(ends(2), first);
  world.pods.set("uid-cart-1", aPod("cart-1", { containers: new Map() }));
  assert.notEqual(ends(3), first);
  assert.equal(ends(4)?.local.container, undefined);
});

test("Enricher leaves out and counts events of another node", () => {
  const { world, enricher, tick } = aStart();
  world.addPod(aPod("nested-1", { nodeName: "node-b" }), { cgroup: 503n });
  assert.deepEqual(tick(10, at(1, { cgroupId: 503n }), at(2)), ["2: shop/cart-1 → shop/db-1"]);
  assert.equal(enricher.counts.foreign, 1);
  assert.equal(enricher.counts.own, 1);
});

test("Enricher shows and marks what may be another node's", () => {
  const { enricher } = aStart();
  const loopback = {
    localAddress: "127.0.0.1",
    peerAddress: "127.0.0.1",
    cgroupId: undefined,
    netns: undefined,
  };
  const [shownEvent] = enricher.enrich([at(1, loopback)], traceNanos(MS));
  assert.equal(shownEvent?.ends?.ownership, "undetermined");
  assert.equal(enricher.counts.undetermined, 1);
  assert.equal(enricher.counts.local.none, 1);
});

test("Enricher holds an event of an unknown pod until the API names it", () => {
  const { world, enricher, tick } = aStart();
  assert.deepEqual(tick(10, early(1)), []);
  assert.equal(enricher.waiting, 1);
  assert.deepEqual(tick(500), []);
  world.addPod(aPod("new-1"));
  assert.deepEqual(tick(600), ["1: shop/new-1 → shop/db-1"]);
  const { waited, gaveUp, overflow } = enricher.counts;
  assert.deepEqual({ waited, gaveUp, overflow }, { waited: 1, gaveUp: 0, overflow: 0 });
});

test("Enricher lets an event go without its name after two seconds", () => {
  const { enricher, tick } = aStart();
  tick(10, early(1));
  assert.deepEqual(tick(2009), []);
  assert.deepEqual(tick(2020), ["1: unknown → shop/db-1"]);
  assert.equal(enricher.counts.gaveUp, 1);
});

test("Enricher waits longer where ticks come late: what was told meanwhile is read after them", () => {
  const { world, enricher } = aStart();
  const tick = (ms: number, ...events: readonly TcpEvent[]) =>
    shown(enricher.enrich(events, traceNanos(ms * MS)));
  tick(10, early(1));
  assert.deepEqual(tick(6000), []);
  world.addPod(aPod("new-1"));
  assert.deepEqual(tick(6200), ["1: shop/new-1 → shop/db-1"]);
  world.pods.delete("uid-new-1");
  tick(10_000, early(9990));
  const ticks = Array.from({ length: 8 }, (_, i) => tick(20_000 + 10_000 * i).length);
  assert.deepEqual(ticks, [0, 0, 0, 0, 0, 0, 0, 1], "but not for ever");
});

test("Enricher waits for the same in vain only once in a while", () => {
  const { world, tick } = aStart();
  tick(10, early(1));
  tick(2020);
  assert.deepEqual(tick(2100, early(2090)), ["2090: unknown → shop/db-1"]);
  world.addPod(aPod("new-1"));
  assert.deepEqual(tick(2200, early(2190)), ["2190: shop/new-1 → shop/db-1"]);
  world.pods.delete("uid-new-1");
  assert.deepEqual(tick(70_000, early(69_990)), [], "nobody asked for a minute");
});

test("Enricher keeps the order of a socket: later events wait behind the first", () => {
  const { world, enricher, tick } = aStart();
  tick(10, early(1));
  assert.deepEqual(tick(20, at(12), at(15, { key: 9 as SocketKey })), ["12: shop/cart-1 → shop/db-1"]);
  assert.equal(enricher.counts.waited, 2);
  world.addPod(aPod("new-1"));
  assert.deepEqual(tick(40), ["1: shop/new-1 → shop/db-1", "15: shop/cart-1 → shop/db-1"]);
});

test("Enricher gives a tick's events in the order of their times, those that waited among them", () => {
  const { world, tick } = aStart();
  tick(10, early(5));
  tick(10, early(15, 10));
  world.addPod(aPod("new-1"));
  assert.deepEqual(tick(30, at(4), at(10), at(20)), [
    "4: shop/cart-1 → shop/db-1",
    "5: shop/new-1 → shop/db-1",
    "10: shop/cart-1 → shop/db-1",
    "15: shop/new-1 → shop/db-1",
    "20: shop/cart-1 → shop/db-1",
  ]);
});

test("Enricher lets the one that waits the longest go when a thousand wait", () => {
  const { enricher, tick } = aStart();
  const thousand = Array.from({ length: 1000 }, (_, i) => early(i / 1000, 100 + i));
  assert.deepEqual(tick(10, ...thousand), []);
  assert.deepEqual(tick(11, early(5, 5000), early(6, 5001)), [
    "0: unknown → shop/db-1",
    "0.001: unknown → shop/db-1",
  ]);
  assert.equal(enricher.waiting, 1000);
  assert.equal(enricher.counts.overflow, 2);
  assert.equal(enricher.counts.gaveUp, 0);
});

test("Enricher gives everything that waits at the end", () => {
  const { enricher, tick } = aStart();
  tick(10, early(1), early(2, 10));
  assert.deepEqual(shown(enricher.end()), ["1: unknown → shop/db-1", "2: unknown → shop/db-1"]);
  assert.equal(enricher.waiting, 0);
  assert.equal(enricher.counts.gaveUp, 2);
  assert.deepEqual(enricher.end(), []);
});

test("Enricher calls a namespace foreign only after a wait: it may be a new pod's", () => {
  const { world, enricher, tick } = aStart();
  const event = (ms: number) => at(ms, { cgroupId: undefined, netns: 99 });
  assert.deepEqual(tick(10, event(1)), []);
  world.addPod(aPod("late-1"), { netns: 99 });
  assert.deepEqual(tick(30), ["1: shop/late-1 → shop/db-1"]);
  world.namespaces.delete(99);
  tick(40, event(31));
  assert.deepEqual(tick(2100), []);
  assert.deepEqual(tick(2110, event(2105)), []);
  assert.equal(enricher.waiting, 0);
  assert.equal(enricher.counts.foreign, 2);
});

test("Enricher waits for a look for a namespace again, also where it gave it up as another node's", () => {
  const { world, enricher, tick } = aStart();
  const elsewhere = (ms: number) =>
    at(ms, { cgroupId: undefined, netns: 99, localAddress: "192.168.5.5", key: 9 as SocketKey });
  tick(10, elsewhere(1));
  tick(2020);
  assert.equal(enricher.counts.foreign, 1);
  world.namespaces.set(99, { kind: "stale" });
  assert.deepEqual(tick(2100, elsewhere(2090)), []);
  assert.equal(enricher.waiting, 1);
  world.namespaces.delete(99);
  assert.deepEqual(tick(2120), []);
  assert.deepEqual([enricher.counts.foreign, enricher.counts.undetermined, enricher.waiting], [2, 0, 0]);
});

test("Enricher waits while the first lists come, once, and again when a watch falls behind later", () => {
  const { world, enricher, tick } = aStart((world) =>
    Object.assign(world, { complete: false, pending: true }),
  );
  const outside = (ms: number) => at(ms, { peerAddress: "192.0.2.7" });
  assert.deepEqual(tick(10, outside(1)), []);
  assert.deepEqual(tick(2020), ["1: shop/cart-1 → unknown"]);
  assert.deepEqual(tick(2030, outside(2025)), ["2025: shop/cart-1 → unknown"], "the API server is away");
  Object.assign(world, { complete: true, pending: false });
  assert.deepEqual(tick(2040, outside(2035)), ["2035: shop/cart-1 → external"]);
  Object.assign(world, { complete: false, pending: true });
  assert.deepEqual(tick(2050, outside(2045)), []);
  assert.equal(enricher.waiting, 1);
});

/** An address that passes from one pod to another, with a stretch in which it is nobody's; times in ms. */
function passing(world: World, address: string, { fromMs, untilMs }: { fromMs: number; untilMs: number }) {
  const before = aPod("db-0", { nodeName: "node-b" });
  const after = aPod("web-1", { nodeName: "node-b" });
  world.podsAt.set(address, (unixMs) => {
    const ms = unixMs - NOW_MS;
    if (ms < fromMs) return { kind: "held", pod: before };
    return ms < untilMs ? { kind: "ambiguous" } : { kind: "held", pod: after };
  });
}

test("Enricher leaves a connection with the peer that it was seen with first, whoever has the address later", () => {
  const { world, tick } = aStart();
  passing(world, "10.244.2.9", { fromMs: 100, untilMs: 3000 });
  assert.deepEqual(tick(60, at(50)), ["50: shop/cart-1 → shop/db-0"]);
  assert.deepEqual(tick(500, at(450)), ["450: shop/cart-1 → shop/db-0"]);
  assert.deepEqual(tick(4000, at(3900)), ["3900: shop/cart-1 → shop/db-0"]);
  const another = at(3950, { key: 11 as SocketKey, localPort: 4001 });
  assert.deepEqual(tick(4100, another), ["3950: shop/cart-1 → shop/web-1"]);
  const sameSocketAgain = at(4150, { localPort: 4002 });
  assert.deepEqual(tick(4200, sameSocketAgain), ["4150: shop/cart-1 → shop/web-1"]);
});

test("Enricher names nobody for a connection that was first seen while its address passed, until its peer is heard", () => {
  const { world, tick } = aStart();
  passing(world, "10.244.2.9", { fromMs: 100, untilMs: 3000 });
  assert.deepEqual(tick(210, at(200)), []);
  assert.deepEqual(tick(3500), ["200: shop/cart-1 → unknown"]);
  assert.deepEqual(tick(60_010, at(60_000)), ["60000: shop/cart-1 → unknown"], "a policy may drop resets");
  const byAck: TcpEvent = { ...at(61_000), cause: "fast" };
  assert.deepEqual(tick(61_010, byAck), ["61000: shop/cart-1 → shop/web-1"]);
  assert.deepEqual(tick(62_010, at(62_000)), ["62000: shop/cart-1 → shop/web-1"]);
});

test("Enricher gives no connection to a pod that came after it, when the one before is forgotten", () => {
  const { world, tick } = aStart();
  const [before, after] = [aPod("db-0", { nodeName: "node-b" }), aPod("web-1", { nodeName: "node-b" })];
  world.podsAt.set("10.244.2.9", { kind: "held", pod: before });
  assert.deepEqual(tick(60, at(50), at(51, { key: 8 as SocketKey, sinceAck: 0.04 })), [
    "50: shop/cart-1 → shop/db-0",
    "51: shop/cart-1 → shop/db-0",
  ]);
  world.podsAt.set("10.244.2.9", (unixMs) =>
    unixMs < NOW_MS + 1000 ? undefined : { kind: "held", pod: after },
  );
  tick(5000, at(4000), at(4001, { key: 8 as SocketKey, sinceAck: 4 }));
  assert.deepEqual(tick(8000), ["4000: shop/cart-1 → unknown", "4001: shop/cart-1 → unknown"]);
});

test("Enricher takes a SYN to be a second before the first SYN-ACK that is sent again, and no answer before the others", () => {
  const { world, tick } = aStart();
  const after = aPod("web-1", { nodeName: "node-b" });
  world.podsAnswering.set("10.244.2.9", (unixMs) =>
    unixMs < NOW_MS + 1500 ? { kind: "ambiguous" } : { kind: "held", pod: after },
  );
  const synAck = { state: TCP_NEW_SYN_RECV };
  tick(1010, at(1000, synAck));
  assert.deepEqual(tick(3010, at(3000, synAck)), [
    "1000: shop/cart-1 → unknown",
    "3000: shop/cart-1 → unknown",
  ]);
});

test("Enricher leaves the local end as its namespace told it, whose number is another's when a wait is over", () => {
  const { world, tick } = aStart(({ podsAt }) => podsAt.set("10.244.2.9", { kind: "ambiguous" }));
  world.addPod(aPod("new-1"));
  world.addPod(aPod("next-1"));
  const event = { cgroupId: undefined, netns: 8 };
  assert.deepEqual(tick(10, at(1, event), at(2, event)), []);
  world.namespaces.set(8, { kind: "pod", podUid: "uid-next-1" });
  assert.deepEqual(tick(2100), ["1: shop/new-1 → unknown", "2: shop/new-1 → unknown"]);
  assert.deepEqual(tick(2200, at(2150, event)), ["2150: shop/next-1 → unknown"]);
});

test("Enricher leaves a closing socket with the backend that it had: its pair of ports may be another's", () => {
  const { world, tick } = aStart();
  world.addPod(aPod("web-1", { nodeName: "node-b" }), { addresses: ["10.244.2.10"] });
  const socket = { peerAddress: "10.96.0.7" };
  world.translations.set("10.96.0.7 5432", { address: "10.244.2.9", port: 5432, side: "backend" });
  assert.deepEqual(tick(1, at(1, socket)), ["1: shop/cart-1 → shop/db-1"]);
  world.translations.set("10.96.0.7 5432", { address: "10.244.2.10", port: 5432, side: "backend" });
  assert.deepEqual(tick(2, at(2, { ...socket, state: TCP_FIN_WAIT1 })), ["2: shop/cart-1 → shop/db-1"]);
  assert.deepEqual(tick(3, at(3, socket)), ["3: shop/cart-1 → shop/web-1"]);
});

test("Enricher leaves a connection with the pod and the service that were behind a port when it was seen first", () => {
  const { world, tick } = aStart();
  const [before, after] = [aPod("proxy-0", { nodeName: "node-b" }), aPod("proxy-1", { nodeName: "node-b" })];
  const [old, current] = [aService("old"), aService("current")];
  world.hostPorts.set("172.31.98.2 443", (unixMs) => (unixMs < NOW_MS + 1000 ? before : after));
  world.services.set("10.96.0.9 443", (unixMs) => (unixMs < NOW_MS + 1000 ? old : current));
  const [port, service] = [
    { peerAddress: "172.31.98.2", peerPort: 443 },
    { peerAddress: "10.96.0.9", peerPort: 443, key: 8 as SocketKey },
  ];
  const first = ["500: shop/cart-1 → shop/proxy-0", "501: shop/cart-1 → shop/old"];
  assert.deepEqual(tick(510, at(500, port), at(501, service)), first);
  const later = ["5000: shop/cart-1 → shop/proxy-0", "5001: shop/cart-1 → shop/old"];
  assert.deepEqual(tick(5010, at(5000, port), at(5001, service)), later);
  const another = { ...port, key: 9 as SocketKey, localPort: 4001 };
  assert.deepEqual(tick(6010, at(6000, another)), ["6000: shop/cart-1 → shop/proxy-1"]);
});

test("Enricher gives a SYN to who has the address at its time: nobody has answered the ones before", () => {
  const { world, tick } = aStart();
  passing(world, "10.244.2.9", { fromMs: 100, untilMs: 3000 });
  const syn = { state: TCP_SYN_SENT };
  assert.deepEqual(tick(60, at(50, syn)), ["50: shop/cart-1 → shop/db-0"]);
  assert.deepEqual(tick(1060, at(1050, syn)), [], "the address passes");
  assert.deepEqual(tick(3100, at(3050, syn)), [
    "1050: shop/cart-1 → unknown",
    "3050: shop/cart-1 → shop/web-1",
  ]);
  assert.deepEqual(tick(3200, at(3150)), ["3150: shop/cart-1 → shop/web-1"]);
});

test("Enricher leaves a connection with who had the address when its last SYN was sent", () => {
  const { world, tick } = aStart();
  passing(world, "10.244.2.9", { fromMs: 1100, untilMs: 3000 });
  const syn = { state: TCP_SYN_SENT };
  assert.deepEqual(tick(1060, at(50, syn), at(1050, syn)), [
    "50: shop/cart-1 → shop/db-0",
    "1050: shop/cart-1 → shop/db-0",
  ]);
  assert.deepEqual(tick(20_000, at(19_900)), ["19900: shop/cart-1 → shop/db-0"]);
});

test("Enricher looks once a round for what many wait for", () => {
  const { world, enricher, tick } = aStart();
  let looks = 0;
  world.podsAt.set("10.244.2.9", () => {
    looks++;
    return { kind: "ambiguous" };
  });
  for (let i = 0; i < 50; i++) tick(1, at(1, { key: (100 + i) as SocketKey, localPort: 5000 + i }));
  assert.equal(enricher.waiting, 50);
  looks = 0;
  tick(100);
  assert.equal(looks, 1);
});

test("Enricher waits until what is outside is surely outside, in vain only once", () => {
  const { world, tick } = aStart((world) => Object.assign(world, { complete: false }));
  const outside = (ms: number) => at(ms, { peerAddress: "192.0.2.7" });
  assert.deepEqual(tick(10, outside(1)), []);
  assert.deepEqual(tick(2020), ["1: shop/cart-1 → unknown"]);
  assert.deepEqual(tick(2030, outside(2025)), ["2025: shop/cart-1 → unknown"]);
  world.complete = true;
  assert.deepEqual(tick(2040, outside(2035)), ["2035: shop/cart-1 → external"]);
  world.complete = false;
  assert.deepEqual(tick(2050, outside(2045)), []);
  world.complete = true;
  assert.deepEqual(tick(2070), ["2045: shop/cart-1 → external"]);
});

test("Enricher waits for connection tracking's answer", () => {
  const { world, tick } = aStart(({ translations }) => translations.set("10.96.0.7 5432", "pending"));
  assert.deepEqual(tick(10, at(1, { peerAddress: "10.96.0.7" })), []);
  world.translations.set("10.96.0.7 5432", { address: "10.244.2.9", port: 5432, side: "backend" });
  assert.deepEqual(tick(30), ["1: shop/cart-1 → shop/db-1"]);
});

test("Enricher waits for the successor of a dead pod: the address may be another's already", () => {
  const { world, tick } = aStart(({ podsAt }) =>
    podsAt.set("10.244.2.9", { kind: "tombstone", pod: aPod("db-0", { endedMs: NOW_MS - 1000 }) }),
  );
  assert.deepEqual(tick(10, at(1)), []);
  world.addPod(aPod("job-7", { nodeName: "node-b" }), { addresses: ["10.244.2.9"] });
  assert.deepEqual(tick(30), ["1: shop/cart-1 → shop/job-7"]);
});

test("Enricher looks again at those that wait only every ten milliseconds", () => {
  const { world, tick } = aStart();
  tick(10, early(1));
  tick(20);
  world.addPod(aPod("new-1"));
  assert.deepEqual(tick(25), []);
  assert.deepEqual(tick(30), ["1: shop/new-1 → shop/db-1"]);
});

const addresses = fc.constantFrom(
  "10.244.1.5",
  "10.244.2.9",
  "10.244.2.77",
  "10.96.0.7",
  "172.31.98.1",
  "172.31.98.2",
  "127.0.0.1",
  "::1",
  "192.0.2.7",
  "169.254.20.10",
  "fd00:10:244:2::9",
);
const ports = fc.constantFrom(5432, 30080, 8080, 40123);
const pods = fc
  .record({
    nodeName: fc.constantFrom("node-a", "node-b", undefined),
    hostNetwork: fc.boolean(),
    ready: fc.boolean(),
    readySinceMs: fc.constantFrom(undefined, NOW_MS - 5, NOW_MS + 5),
    terminatingSinceMs: fc.constantFrom(undefined, NOW_MS - 5, NOW_MS + 5),
    endedMs: fc.constantFrom(undefined, NOW_MS - 5, NOW_MS + 5),
  })
  .map((change) => aPod("any-1", change));
const held = fc.oneof(
  fc.constant({ kind: "ambiguous" as const }),
  fc.record({ kind: fc.constantFrom("held" as const, "tombstone" as const), pod: pods }),
);
const worlds = fc.record({
  complete: fc.boolean(),
  pending: fc.boolean(),
  nodeName: fc.constantFrom("node-a", undefined),
  socketLevelServices: fc.boolean(),
  wholeCluster: fc.boolean(),
  podsAt: fc.dictionary(addresses, held).map((all) => new Map(Object.entries(all))),
  pods: fc.option(pods).map((pod) => new Map(pod === null ? [] : [[pod.uid, pod]])),
  cgroups: fc.constantFrom(
    new Map(),
    new Map([[500n, { kind: "pod", podUid: "uid-any-1", containerId: undefined }]]),
    new Map([[500n, { kind: "process", name: "sshd.service" }]]),
  ),
  namespaces: fc.constantFrom(
    new Map(),
    new Map([[7, { kind: "host" }]]),
    new Map([[7, { kind: "pod", podUid: "uid-any-1" }]]),
    new Map([[7, { kind: "process", name: undefined }]]),
  ),
  translations: fc
    .dictionary(
      fc.tuple(addresses, ports).map((parts) => parts.join(" ")),
      fc.oneof(
        fc.constant("pending" as const),
        fc.record({
          address: addresses,
          port: ports,
          side: fc.constantFrom("backend" as const, "client" as const),
        }),
      ),
    )
    .map((all) => new Map(Object.entries(all))),
  endpoints: fc
    .dictionary(
      fc.tuple(addresses, ports).map((parts) => parts.join(" ")),
      fc.constantFrom([aService("a")], [aService("a"), aService("b")]),
    )
    .map((all) => new Map(Object.entries(all))),
});
const sockets = fc.record({
  localAddress: addresses,
  peerAddress: addresses,
  localPort: ports,
  peerPort: ports,
  state: fc.integer({ min: 0, max: 13 }),
  cgroupId: fc.constantFrom(undefined, 1n, 500n, 999n),
  netns: fc.constantFrom(undefined, 7, 99, HOST_NETNS),
  key: fc.integer({ min: 1, max: 3 }).map((key) => key as SocketKey),
});

test("Enricher loses no event, keeps each socket's order and never lies about the outside, whatever is known", () => {
  fc.assert(
    fc.property(worlds, fc.array(sockets, { maxLength: 20 }), (known, batch) => {
      const world = Object.assign(aWorld(), known);
      const enricher = new Enricher({ sources: world.sources(), unixMs: (time) => NOW_MS + time / MS });
      const events = batch.map((socket, i) => at(i, socket));
      const given: EnrichedEvent[] = [];
      events.forEach((event, i) => void given.push(...enricher.enrich([event], traceNanos(i * 300 * MS))));
      given.push(...enricher.end());
      assert.equal(given.length + enricher.counts.foreign, events.length);
      for (const key of [1, 2, 3]) {
        const times = given.filter(({ event }) => event.socket.key === key).map(({ event }) => event.time);
        assert.deepEqual(
          times,
          times.toSorted((a, b) => a - b),
        );
      }
      for (const { event, ends } of given) {
        assert.ok(ends);
        for (const end of [ends.local, ends.peer]) {
          assert.ok(end.name.length > 0);
          assert.equal(end.method === "none", end.kind === "unknown" || end.kind === "external");
          assert.ok(end.kind !== "pod" || end.pod !== undefined);
          assert.ok(end.kind !== "service" || end.service !== undefined);
          assert.ok(
            end.candidates.length !== 1 && (end.candidates.length === 0 || end.service === undefined),
          );
          assert.ok(end.hint?.ageSeconds === undefined || end.hint.ageSeconds >= 0);
        }
        assert.notEqual(ends.local.kind, "external");
        assert.equal(ends.local.hint, undefined);
        if (ends.peer.kind === "external") {
          assert.ok(world.complete);
          const { peerAddress, peerPort } = event.socket;
          const translated = world.translations.get(`${peerAddress} ${peerPort}`);
          const addresses = [peerAddress, typeof translated === "object" ? translated.address : peerAddress];
          assert.ok(
            addresses.some((address) => !world.clusterPrefixes.some((prefix) => address.startsWith(prefix))),
          );
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test("Enricher asks for who answered with the time of the last acknowledgement, and of the SYN behind a SYN-ACK", () => {
  const asked: number[] = [];
  const { world, tick } = aStart(({ podsAnswering }) =>
    podsAnswering.set("10.244.2.9", (unixMs) => {
      asked.push(unixMs - NOW_MS);
      return { kind: "ambiguous" };
    }),
  );
  tick(5_000, at(5_000, { sinceAck: 0.25 }), at(5_001, { key: 8 as SocketKey, state: TCP_NEW_SYN_RECV }));
  tick(
    6_000,
    at(6_000, { key: 9 as SocketKey }),
    at(6_001, { key: 10 as SocketKey, state: TCP_SYN_SENT, sinceAck: 9 }),
  );
  assert.deepEqual(asked.slice(0, 2), [4_750, 4_001]);
  assert.ok(
    asked.every((ms) => ms === 4_750 || ms === 4_001),
    "nothing is told of the others",
  );
  world.podsAnswering.set("10.244.2.9", (unixMs) =>
    unixMs === NOW_MS + 4_750
      ? { kind: "held", pod: aPod("db-9", { nodeName: "node-b" }) }
      : { kind: "ambiguous" },
  );
  assert.deepEqual(tick(6_100, at(6_100, { sinceAck: 0.01 })).slice(-1), ["6100: shop/cart-1 → shop/db-9"]);
});

test("Enricher keeps the backend of a connection whose entry is gone", () => {
  const { world, tick } = aStart();
  const socket = { peerAddress: "10.96.0.7" };
  world.translations.set("10.96.0.7 5432", { address: "10.244.2.9", port: 5432, side: "backend" });
  assert.deepEqual(tick(1, at(1, socket)), ["1: shop/cart-1 → shop/db-1"]);
  world.translations.delete("10.96.0.7 5432");
  assert.deepEqual(tick(2, at(2, socket)), ["2: shop/cart-1 → shop/db-1"]);
  const another = { ...socket, localPort: 7777 };
  assert.deepEqual(
    tick(3, at(3, another)),
    ["3: shop/cart-1 → shop/db"],
    "another connection of that socket",
  );
});
