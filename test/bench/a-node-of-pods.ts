import type { NodeRecord, PodRecord } from "../../src/event/cluster.ts";
import type { EndName, Ends } from "../../src/event/end-name.ts";
import { CAUSES, type Cause } from "../../src/event/tcp-event.ts";

/** How a cluster is built and what its connections lose: assumed, and said where figures of it stand. */
export const ASSUMED = {
  podsPerNode: 30,
  workloadsPerNode: 20,
  /** Of the whole cluster, of so many pods each. */
  podsPerWorkload: 20,
  /** Workloads that a workload talks to. */
  peersPerWorkload: 4,
  zones: 3,
  /** Retransmits of a pod, in a thousand, by type. */
  types: { fast: 450, tail_loss_probe: 300, timeout: 150, slow_start: 60, syn: 30, reordering: 10 } as const,
} as const;

/** One node of a cluster with its pods, and who they talk to. */
export interface NodeOfPods {
  readonly node: NodeRecord;
  readonly pods: readonly PodRecord[];
  /** Both ends of a connection of a pod to any of its peers, by chance. */
  connection(): Ends;
  /** What was lost, by chance. */
  cause(): Cause;
}

/** Makes the node with this number, the same at each time. */
export function nodeOfPods(number: number, { nodes }: { readonly nodes: number }): NodeOfPods {
  const random = chance(number + 1);
  const below = (limit: number) => Math.floor(random() * limit);
  const byName = new Map(Array.from({ length: nodes }, (_, i) => [`node-${i}`, aNode(i)]));
  const workloads = Math.ceil((nodes * ASSUMED.podsPerNode) / ASSUMED.podsPerWorkload);
  const memo = new Map<string, PodRecord>();
  const podOf = (workload: number, ordinal: number, home: number): PodRecord => {
    const name = `work-${workload}-${ordinal}`;
    const known = memo.get(name) ?? aPod(name, { workload, nodeName: `node-${home}` });
    memo.set(name, known);
    return known;
  };
  const own = Array.from({ length: ASSUMED.podsPerNode }, (_, i) => {
    const workload = (number * 7 + (i % ASSUMED.workloadsPerNode) * 13) % workloads;
    return { workload, pod: podOf(workload, 100_000 + number * 100 + i, number) };
  });
  const peersOf = new Map(
    own.map(({ workload }) => [
      workload,
      Array.from({ length: ASSUMED.peersPerWorkload }, () => below(workloads)),
    ]),
  );
  const peerEnd = (workload: number): EndName => {
    const kind = random();
    if (kind < 0.08) return anEnd({ kind: "external", name: "external" });
    const [ordinal, home] = [below(ASSUMED.podsPerWorkload), below(nodes)];
    const pod = podOf(workload, ordinal, home);
    const node = byName.get(pod.nodeName ?? "");
    return anEnd({ kind: "pod", name: `${pod.namespace}/${pod.name}`, pod, node });
  };
  return {
    node: aNode(number),
    pods: own.map(({ pod }) => pod),
    connection() {
      const { workload, pod } = own[below(own.length)] as (typeof own)[number];
      const peers = peersOf.get(workload) ?? [];
      const local = anEnd({
        kind: "pod",
        name: `${pod.namespace}/${pod.name}`,
        pod,
        node: byName.get(pod.nodeName ?? ""),
      });
      return { ownership: "own", local, peer: peerEnd(peers[below(peers.length)] ?? 0) };
    },
    cause() {
      let at = below(1000);
      for (const [cause, share] of Object.entries(ASSUMED.types)) {
        at -= share;
        if (at < 0) return cause as Cause;
      }
      return CAUSES[0];
    },
  };
}

function aNode(number: number): NodeRecord {
  return {
    uid: `n-${number}`,
    name: `node-${number}`,
    zone: `zone-${number % ASSUMED.zones}`,
    notReadySinceMs: undefined,
    cordoned: false,
    endedMs: undefined,
  };
}

function aPod(
  name: string,
  { workload, nodeName }: { readonly workload: number; readonly nodeName: string },
): PodRecord {
  return {
    uid: `u-${name}`,
    namespace: `team-${workload % 20}`,
    name,
    nodeName,
    hostNetwork: false,
    workload: { kind: "Deployment", name: `work-${workload}`, inferred: false },
    naming: undefined,
    containers: undefined,
    ready: true,
    readySinceMs: undefined,
    terminatingSinceMs: undefined,
    endedMs: undefined,
  };
}

function anEnd(known: Partial<EndName>): EndName {
  return {
    kind: "unknown",
    name: "unknown",
    method: "address",
    pod: undefined,
    container: undefined,
    service: undefined,
    candidates: [],
    node: undefined,
    hint: undefined,
    ...known,
  };
}

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
function chance(seed: number): () => number {
  let state = seed * 0x9e3779b9;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
