import type { Cluster } from "../lab/cluster/cluster.ts";
import { hostPort, NODE_A, NODE_B, type NodePlan } from "../lab/cluster/plan.ts";
import { until } from "../lab/cluster/until.ts";
import type { NodeWatch } from "./node-watch.ts";
import { side } from "./paths.ts";
import type { Check } from "./report.ts";
import { Talk, tallyNames } from "./talk.ts";
import { ToldOnNode } from "./told.ts";
import type { TrafficLog } from "./traffic-log.ts";
import { createPod, createService, PODS, podAddresses, podTemplate, runningPod } from "./workloads.ts";

/** Loss falls on them as on the paths' ports. Port 0 is what churning pods serve. */
const PORTS = { low: 20_100, high: 20_105 };
const DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments";

/** The emulated node shall have time for its pods. */
const RATE = "-rate=1";

/** A workload of one node that is replaced again and again. The emulated node takes ten times as long for a pod. */
interface Churn {
  readonly node: NodePlan;
  readonly replicas: number;
  readonly rollouts: number;
  /** Of the replicas, so many at once: node-b is emulated on the processors on which node-a starts and ends pods. */
  readonly atOnce: number;
}

const CHURNS: readonly Churn[] = [
  { node: NODE_A, replicas: 6, rollouts: 16, atOnce: 1 },
  { node: NODE_B, replicas: 3, rollouts: 2, atOnce: 1 },
];

/** Of the ends whose pod can be known, these may at most be without it although the node has been told its address. */
const MOST_UNKNOWN = 0.01;
const FEWEST_PODS = 100;
const FEWEST_EVENTS = 100;

/** The steady pods of both nodes that churning ones talk to, and that talk to them. */
export async function prepareChurn(cluster: Cluster): Promise<void> {
  for (const { node } of CHURNS) {
    const name = `steady-${side(node)}`;
    const labels = { app: name };
    await createPod(cluster, name, { node, labels, args: [RATE, `-listen=${PORTS.low}-${PORTS.high}`] });
    const ports = [{ port: PORTS.low + 3 }];
    await createService(cluster, name, { app: name, ports });
  }
  await Promise.all(CHURNS.map(({ node }) => runningPod(cluster, `steady-${side(node)}`)));
}

/** When a program on a node was told of each pod's address, in Unix ms: by the node's name, and the pod's. */
export type Told = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Replaces the pods of both workloads while they talk across the nodes. */
export async function churn(cluster: Cluster, log: TrafficLog): Promise<Told> {
  const onA = new Map<string, number>();
  const over = new AbortController();
  cluster.api.watch(PODS, over.signal, (_, { metadata, status }) => {
    if (status.podIPs !== undefined && !onA.has(metadata.name)) onA.set(metadata.name, Date.now());
  });
  const onB = await ToldOnNode.start(cluster);
  try {
    for (const plan of CHURNS) await churnOne(cluster, log, plan);
  } finally {
    over.abort();
    await onB.stop();
  }
  return new Map([
    [NODE_A.name, onA],
    [NODE_B.name, await onB.times()],
  ]);
}

async function churnOne(
  cluster: Cluster,
  log: TrafficLog,
  { node, replicas, rollouts, atOnce }: Churn,
): Promise<void> {
  const { api } = cluster;
  const name = `churn-${side(node)}`;
  const other = node === NODE_A ? NODE_B : NODE_A;
  const steady = podAddresses(await runningPod(cluster, `steady-${side(other)}`));
  const { spec } = await api.get(`/api/v1/namespaces/default/services/steady-${side(other)}`);
  const targets = {
    direct4: hostPort(steady.v4, PORTS.low + 1),
    direct6: hostPort(steady.v6, PORTS.low + 2),
    service: hostPort(spec.clusterIPs[0], PORTS.low + 3),
  };
  const connect = Object.entries(targets).map(([label, to]) => `${label}=${to}`);
  const args = [RATE, `-listen=${PORTS.low}-${PORTS.low}`, `-connect=${connect.join(",")}`];
  const service = await createService(cluster, name, { app: name, ports: [{ port: PORTS.low }] });
  await api.create(DEPLOYMENTS, {
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      strategy: { rollingUpdate: { maxSurge: atOnce, maxUnavailable: atOnce } },
      template: podTemplate({ node, labels: { app: name }, args }),
    },
  });
  await rolledOut(cluster, name);
  const callers = [service.v4, service.v6].map((address, i) => `call${i}=${hostPort(address, PORTS.low)}`);
  await createPod(cluster, `caller-${side(other)}`, {
    node: other,
    args: [RATE, `-connect=${callers.join(",")}`],
  });
  for (let i = 1; i <= rollouts; i++) {
    const rolledAt = { annotations: { "tcpretrans.test/rollout": String(i) } };
    await api.patch(`${DEPLOYMENTS}/${name}`, { spec: { template: { metadata: rolledAt } } });
    await rolledOut(cluster, name);
    // Let the new ones talk before they are replaced.
    const talking = () =>
      new Set(
        log
          .connections("open")
          .filter(({ pod }) => pod.startsWith(name))
          .map(({ pod }) => pod),
      ).size;
    await until(`${name}'s pods to talk`, () => talking() >= replicas * (i + 0.5), {
      timeoutMs: 300_000,
    });
  }
}

function rolledOut({ api }: Cluster, name: string): Promise<boolean> {
  const isDone = async () => {
    const { spec, status } = await api.get(`${DEPLOYMENTS}/${name}`);
    const { replicas, updatedReplicas, availableReplicas } = status;
    return [replicas, updatedReplicas, availableReplicas].every((count) => count === spec.replicas);
  };
  return until(`the rollout of ${name}`, isDone, { timeoutMs: 300_000, everyMs: 200 });
}

/** Holds every name on the churn's connections until a time in Unix ms against what the pods said of themselves. */
export function judgeChurn(
  log: TrafficLog,
  watchers: readonly NodeWatch[],
  { told, untilMs }: { readonly told: Told; readonly untilMs: number },
): readonly Check[] {
  const pods = new Set(log.reports.filter(({ pod }) => pod.startsWith("churn-")).map(({ pod }) => pod)).size;
  const addresses = log.connections("open").filter(({ pod }) => pod.startsWith("churn-a"));
  const holders = Map.groupBy(addresses, ({ local }) => local.slice(0, local.lastIndexOf(":")));
  const reused = [...holders.values()].filter((own) => new Set(own.map(({ pod }) => pod)).size > 1).length;
  const problem =
    pods < FEWEST_PODS || reused === 0 ? `${pods} pods, ${reused} addresses taken again` : undefined;
  const shown = `${pods} pods, ${reused} addresses taken again`;
  return [
    { subject: "churn", column: "pods", problem, shown },
    ...watchers.flatMap((watcher) => judgeNames(new Talk(log), watcher, { told, untilMs })),
  ];
}

function judgeNames(
  talk: Talk,
  watcher: NodeWatch,
  { told, untilMs }: { readonly told: Told; readonly untilMs: number },
): readonly Check[] {
  const lines = watcher.lines();
  const times = told.get(watcher.place.plan.name);
  const all = tallyNames(talk, lines, PORTS);
  const before = lines.filter(({ time }) => time < untilMs);
  const { source, destination, untold } = tallyNames(talk, before, PORTS);
  return [source, destination].map(({ end, right, unknown, missed, examples: during }) => {
    // A name is never wrong, whatever comes after the churn.
    const { wrong } = all[end];
    const examples = wrong > 0 ? all[end].examples : during;
    const total = right + wrong + unknown;
    // A kubelet may tell of an address seconds after the first packet, and a node hear of it later still: on a machine
    // with too much to do, many.
    const early = missed.filter(({ pod, time }) => time < (times?.get(pod) ?? Infinity)).length;
    const isBad = wrong > 0 || unknown - early > total * MOST_UNKNOWN || total < FEWEST_EVENTS;
    const misses = `${unknown} unknown, ${early} of them before the node was told`;
    const shown = `${right} right, ${wrong} wrong, ${misses}, ${untold} of connections nobody reported`;
    const problem = isBad ? `${shown}: ${examples.slice(0, 8).join("; ")}` : undefined;
    return { subject: `churn, ${end}`, column: watcher.place.rung, problem, shown };
  });
}
