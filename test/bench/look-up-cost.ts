/**
 * What naming both ends of an event takes, with the index of a served cluster, this machine's cgroups, namespaces and
 * connection tracking (root): `node look-up-cost.ts KUBECONFIG NODE` prints one JSON object, µs of an event by what is
 * looked up. Makes cgroups of its own, named as a kubelet names those of the node's pods.
 */
import { mkdirSync, rmdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Enricher } from "../../src/enrich/enricher.ts";
import type { EnrichedEvent } from "../../src/event/end-name.ts";
import type { SocketFields, SocketKey, TcpEvent } from "../../src/event/tcp-event.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { HostOwners } from "../../src/host/host-owners.ts";
import { openHostConntrack } from "../../src/host/open-host-conntrack.ts";
import { openApiClient } from "../../src/kube/api-client.ts";
import { ClusterWatch } from "../../src/kube/cluster-watch.ts";
import { openLibc } from "../../src/syscall/libc.ts";
import { spread } from "./bench-report.ts";
import { containerId, podAddress, podUid, serviceAddress } from "./real-objects.ts";

const PODS_PER_NODE = 30;
const CONNECTIONS = 1024;
const ROUNDS = 9;
const PASSES = 200;

const [kubeconfig = "", nodeName = ""] = process.argv.slice(2);
const nodeNumber = Number(nodeName.split("-")[1]);
await using undo = new AsyncDisposableStack();
const ending = new AbortController();
const client = await openApiClient({ kubeconfig, userAgent: "tcpretrans-bench" });
undo.defer(() => client.close());
const watch = new ClusterWatch({
  ...{ client, scope: "cluster", ownNode: nodeName, withServiceCidrs: false },
  ...{ say: console.error, firstWithinMs: 0 },
});
const running = watch.run(ending.signal);
undo.defer(async () => {
  ending.abort();
  await running;
});
const libc = openLibc();
const now = () => performance.now();
const common = { procRoot: "/proc", libc, now } as const;
const host = undo.use(new HostOwners({ ...common, netnsPath: "/var/run/netns", unixMs: Date.now }));
const cgroups = makeCgroups();
host.refresh();
const ages = { entry: 1e9, none: 1e9 };
const conntrack = undo.use(openHostConntrack({ procRoot: "/proc", libc, ages }));
while (!watch.index.complete) await sleep(20);

const nowMs = Date.now();
const { pods } = watch.index.counts();
const services = watch.index.counts().services - 2;
const far = (i: number) => podAddress((PODS_PER_NODE * (nodeNumber + 1) + i * 29) % pods);
const cgroupOf = (i: number) => cgroups[i % cgroups.length];
const peers: Readonly<Record<string, (i: number) => Partial<SocketFields>>> = {
  "pod → pod, by address (tracepoint rung)": (i) => ({ peerAddress: far(i), peerPort: 8080 }),
  "pod → pod, by cgroup (kprobe rung)": (i) => ({
    peerAddress: far(i),
    peerPort: 8080,
    cgroupId: cgroupOf(i),
  }),
  "pod → service, by cgroup": (i) => ({
    ...{ peerAddress: serviceAddress(1 + (i % services)), peerPort: 80, cgroupId: cgroupOf(i) },
  }),
  "pod → outside, by cgroup": (i) => ({ ...outside(i), cgroupId: cgroupOf(i) }),
  "pod → outside, by address": outside,
};
const results = Object.entries(peers).map(([what, peer]) => [what, measure(peer)]);
console.log(
  JSON.stringify({
    pods,
    conntrack: conntrack.way,
    cgroupMethod: host.cgroupMethod,
    us: Object.fromEntries(results),
  }),
);

function outside(i: number): Partial<SocketFields> {
  return { peerAddress: `203.0.${113 + (i >> 8)}.${i & 255}`, peerPort: 443 };
}

function measure(peer: (i: number) => Partial<SocketFields>) {
  const sources = {
    ...{ cluster: watch.index, host, conntrack, nodeName },
    ...{ socketLevelServices: false, wholeCluster: true },
  };
  const enricher = new Enricher({ sources, unixMs: () => nowMs });
  const events = Array.from({ length: CONNECTIONS }, (_, i) => eventOf(i, peer(i)));
  check(enricher.enrich(events, traceNanos(0)));
  const us: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.threadCpuUsage();
    for (let pass = 0; pass < PASSES; pass++) enricher.enrich(events, traceNanos(0));
    const { user, system } = process.threadCpuUsage(before);
    us.push((user + system) / (PASSES * CONNECTIONS));
  }
  if (enricher.waiting > 0) throw new Error(`Cannot measure: ${enricher.waiting} events wait`);
  return { ...spread(us.slice(2)), local: enricher.counts.local, peer: enricher.counts.peer };
}

function check(named: readonly EnrichedEvent[]): void {
  const wrong = named.find(({ ends }) => ends?.local.kind !== "pod" || ends.peer.kind === "unknown");
  if (named.length === CONNECTIONS && wrong === undefined) return;
  throw new Error(`Cannot measure: ${named.length} events are named, and ${JSON.stringify(wrong?.ends)}`);
}

function eventOf(i: number, peer: Partial<SocketFields>): TcpEvent {
  const untold = { kind: "retransmit", cause: "timeout", outcome: "sent", rung: "kprobe" } as const;
  const socket = {
    ...{ key: i as SocketKey, state: 1, ipVersion: 4, localPort: 32_768 + i },
    localAddress: podAddress(nodeNumber * PODS_PER_NODE + (i % PODS_PER_NODE)),
    ...peer,
  } as SocketFields;
  return {
    ...untold,
    ...{ time: traceNanos(0), cpu: 0, pid: 0, error: 0, segments: 1, socket, stack: undefined },
  };
}

/** Ids of a cgroup for each of the node's pods; empty where there is no cgroup v2. */
function makeCgroups(): readonly bigint[] {
  if (host.cgroupMount === undefined) return [];
  const made: string[] = [];
  const make = (path: string) => {
    mkdirSync(path);
    made.push(path);
    return path;
  };
  undo.defer(() => {
    for (const path of made.reverse()) rmdirSync(path);
  });
  const top = make(join(host.cgroupMount.path, `tcpretrans-bench-${process.pid}`));
  const burstable = make(join(make(join(top, "kubepods")), "burstable"));
  return Array.from({ length: PODS_PER_NODE }, (_, i) => {
    const pod = nodeNumber * PODS_PER_NODE + i;
    const path = make(join(burstable, `pod${podUid(pod)}`));
    const id = containerId(pod, "server").slice("containerd://".length);
    return statSync(make(join(path, id)), { bigint: true }).ino;
  });
}
