import fc from "fast-check";
import { Enricher } from "../../src/enrich/enricher.ts";
import type { Ends } from "../../src/event/end-name.ts";
import { TCP_SYN_SENT } from "../../src/event/kernel-tcp.ts";
import type { TcpEvent } from "../../src/event/tcp-event.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import type { OwnerIndex } from "../../src/kube/owner-index.ts";
import { anEvent } from "../export/an-event.ts";
import { ADDRESSES, happen, type Life, lifePlans, type Write } from "../kube/address-world.ts";
import { aNode, anIndex, aService, list } from "../kube/slim-objects.ts";
import { connect, connectionPlans, type Resend } from "./connection-world.ts";
import { conntrackWorld } from "./conntrack-world.ts";
import { cgroupOf, giveNumbers, hostWorld } from "./host-world.ts";
import { HOST_PORT, type NamedSocket, NODES, nameSockets, SERVICE } from "./named-sockets.ts";

/** Unix time in ms at which the trace's clock shows zero. */
const EPOCH_MS = 1e9;
const TICK_MS = 100;
/** So long before the first list is in the agent sees events. */
const CAPTURE_MS = 2000;

const skew = fc.oneof(fc.constant(0), fc.integer({ min: -1000, max: 1000 }));

/** Pods and connections of a few minutes, and how the agent on node-a learns of them. */
export const courses = fc.record({
  plans: lifePlans,
  connections: connectionPlans,
  /** The kprobe rung with cgroups, and without; the tracepoint rung where pods' namespaces are in sight, and where not. */
  sees: fc.constantFrom("cgroup", "namespace", "address", "api"),
  skews: fc.record({ api: skew, nodeB: skew }),
  listedMs: fc.nat(60_000).map((ms) => EPOCH_MS + 60_000 + ms),
  /** From a 410 to the list after it. */
  gaps: fc.array(fc.record({ afterMs: fc.nat(300_000), ms: fc.integer({ min: 100, max: 31_000 }) }), {
    maxLength: 2,
  }),
  delayMs: fc.integer({ min: 1, max: 150 }),
  keepMs: fc.constantFrom(600_000, 600_000, 60_000),
});
export type Course = typeof courses extends fc.Arbitrary<infer T> ? T : never;

/** An event as it was shown, and where it came from. */
export interface Shown {
  readonly course: Course;
  readonly lives: readonly Life[];
  readonly sockets: readonly NamedSocket[];
  readonly socket: NamedSocket;
  readonly resend: Resend;
  /** Time of the first captured event of its socket, or of the last SYN. */
  readonly seenMs: number;
  readonly shownMs: number;
  readonly ends: Ends;
}

type Origin = Pick<Shown, "socket" | "resend" | "seenMs">;

interface World {
  readonly course: Course;
  readonly lives: readonly Life[];
  readonly sockets: readonly NamedSocket[];
  readonly sync: { complete: boolean; pending: boolean; followsPods: boolean };
  readonly index: OwnerIndex;
  /** Unix time in ms. */
  nowMs: number;
}

/** Lets a course happen before a real index and a real enricher. */
export function play(course: Course): readonly Shown[] {
  const { plans, connections, skews, listedMs, keepMs } = course;
  const lives = happen(plans, skews).map(withHostPort);
  const sockets = nameSockets(connections.flatMap((plan) => connect(plan, lives)));
  const sync = { complete: false, pending: true, followsPods: false };
  const index = anIndex({ tombstones: { keepMs, maxCount: 20_000 }, sync });
  const world: World = { course, lives, sockets, sync, index, nowMs: listedMs };
  const { enricher, inums } = agentOf(world);
  const origins = capture(world, inums);
  const events = [...origins.keys()].sort((a, b) => a.time - b.time);
  const steps = apiSteps(world);
  const endMs = unixMs(events.at(-1)?.time ?? 0) + 3000;
  const shown: Shown[] = [];
  let [step, event] = [0, 0];
  for (let tickMs = floorTick(listedMs) - 3000; events.length > 0 && tickMs < endMs; tickMs += TICK_MS) {
    for (let next = steps[step]; next !== undefined && next.atMs <= tickMs; next = steps[++step]) {
      world.nowMs = next.atMs;
      next.run();
    }
    world.nowMs = tickMs;
    const batch: TcpEvent[] = [];
    for (let next = events[event]; next !== undefined && unixMs(next.time) <= tickMs; next = events[++event])
      batch.push(next);
    if (batch.length === 0 && enricher.waiting === 0 && tickMs % 500 !== 0) continue;
    index.expire(tickMs);
    for (const { event, ends } of enricher.enrich(batch, traceTime(tickMs))) {
      const origin = origins.get(event);
      if (origin !== undefined && ends !== undefined)
        shown.push({ course, lives, sockets, ...origin, shownMs: tickMs, ends });
    }
  }
  return shown;
}

/** When the watch does not tell: before the first list, and from each 410 to the list after it. */
export function outagesOf({ gaps, listedMs }: Course): readonly { fromMs: number; untilMs: number }[] {
  const outages = [{ fromMs: 0, untilMs: listedMs }];
  for (const { afterMs, ms } of gaps.toSorted((a, b) => a.afterMs - b.afterMs)) {
    const fromMs = Math.max(listedMs + afterMs, (outages.at(-1)?.untilMs ?? 0) + 1000);
    outages.push({ fromMs, untilMs: fromMs + ms });
  }
  return outages;
}

/** Whether an agent saw a socket only after its first events. */
export function isSeenLate({ resends }: NamedSocket, { listedMs }: Course): boolean {
  return resends.some(({ atMs }) => atMs < listedMs - CAPTURE_MS);
}

function agentOf(world: World) {
  const { course, lives, sockets, index } = world;
  const [a, b] = [
    { uid: "a", name: "node-a", addresses: [NODES.a] },
    { uid: "b", addresses: [NODES.b] },
  ];
  list(index.nodes, [aNode({ ...a, podCidrs: ["10.0.1.0/24"] }), aNode(b)], world.nowMs);
  list(index.services, [aService({ createdSeconds: 1000, clusterAddresses: [SERVICE] })], world.nowMs);
  const now = () => world.nowMs;
  // The kernel takes a while to clear away a namespace that nothing is left in.
  const namespaces = giveNumbers(lives, (life) => {
    const ends = sockets.filter(({ local }) => local === life).map(({ endedMs }) => endedMs);
    return Math.max(life.releasedMs + 100, ...ends);
  });
  const host = hostWorld({ lives, namespaces, hostAddress: NODES.a, sees: course.sees === "address", now });
  const conntrack = conntrackWorld(sockets, now);
  const settings = { nodeName: "node-a", socketLevelServices: false, wholeCluster: true };
  const sources = { cluster: index, host, conntrack, ...settings };
  const inums = new Map(namespaces.map(({ life, inum }) => [life, inum]));
  return { enricher: new Enricher({ sources, unixMs }), inums };
}

/** Pods of the last address are behind a port of node-b. */
function withHostPort(life: Life): Life {
  if (life.address !== ADDRESSES[3]) return life;
  const hostPorts = [{ port: HOST_PORT, address: undefined }];
  const writes = life.writes.map((write) => ({ ...write, slim: { ...write.slim, hostPorts } }));
  return { ...life, writes };
}

/** What the rung tells of all that is sent again. */
function capture({ course, sockets }: World, inums: ReadonlyMap<Life, number>): Map<TcpEvent, Origin> {
  const isKprobe = course.sees === "cgroup" || course.sees === "namespace";
  const origins = new Map<TcpEvent, Origin>();
  for (const socket of sockets) {
    const { local } = socket;
    const cgroupId = course.sees === "cgroup" ? cgroupOf(local) : 1n;
    let seenMs: number | undefined;
    for (const resend of socket.resends) {
      const { atMs, ackMs, state, cause } = resend;
      if (atMs < course.listedMs - CAPTURE_MS) continue;
      if (seenMs === undefined || state === TCP_SYN_SENT) seenMs = atMs;
      const sinceAck = ackMs === undefined ? undefined : jiffies(ackMs, atMs);
      const told = isKprobe ? { netns: inums.get(local), cgroupId, sinceAck } : {};
      const rung = isKprobe ? "kprobe" : "tracepoint";
      const event = {
        time: traceTime(atMs),
        rung,
        cause,
        socket: { ...socket.fields, ...told, state },
      } as const;
      origins.set(anEvent(event), { socket, resend, seenMs });
    }
  }
  return origins;
}

interface Step {
  readonly atMs: number;
  readonly run: () => void;
}

/** Writes of the API server as the watch tells them, and the lists, in the order of time. */
function apiSteps({ course, lives, index, sync }: World): readonly Step[] {
  const { delayMs } = course;
  const writes = lives.flatMap((life) => life.writes).sort((a, b) => a.atMs - b.atMs);
  const outages = outagesOf(course);
  const steps: Step[] = outages.flatMap(({ fromMs, untilMs }) => {
    const break_ = () => Object.assign(sync, { complete: false, pending: true, followsPods: false });
    const relist = () => {
      list(index.pods, livingAt(writes, untilMs), untilMs + delayMs);
      Object.assign(sync, { complete: true, pending: false, followsPods: true });
    };
    return [
      { atMs: fromMs + delayMs, run: break_ },
      { atMs: untilMs + delayMs, run: relist },
    ];
  });
  for (const { atMs, slim, isDelete } of writes) {
    if (outages.some(({ fromMs, untilMs }) => fromMs < atMs && atMs <= untilMs)) continue;
    const toldMs = atMs + delayMs;
    const run = () => (isDelete ? index.pods.remove(slim, toldMs) : index.pods.upsert(slim, toldMs));
    steps.push({ atMs: toldMs, run });
  }
  return steps.sort((a, b) => a.atMs - b.atMs);
}

function livingAt(writes: readonly Write[], ms: number) {
  const states = new Map<string, Write>();
  for (const write of writes) if (write.atMs <= ms) states.set(write.slim.uid, write);
  return [...states.values()].filter(({ isDelete }) => !isDelete).map(({ slim }) => slim);
}

/** Seconds between two times as a kernel of 250 jiffies a second reckons them. */
function jiffies(fromMs: number, untilMs: number): number {
  return (Math.floor(untilMs / 4) - Math.floor(fromMs / 4)) * 0.004;
}

function unixMs(time: number): number {
  return EPOCH_MS + time / 1e6;
}

function traceTime(ms: number) {
  return traceNanos((ms - EPOCH_MS) * 1e6);
}

function floorTick(ms: number): number {
  return Math.floor(ms / TICK_MS) * TICK_MS;
}
