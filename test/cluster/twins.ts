import type { Cluster, NodePlace } from "../lab/cluster/cluster.ts";
import { endLossOnNode, type LossPorts, loseOnNode } from "../lab/cluster/loss.ts";
import { type DualStack, hostPort, type NodePlan } from "../lab/cluster/plan.ts";
import { until } from "../lab/cluster/until.ts";
import type { TrafficLog } from "./traffic-log.ts";
import { createPod, createService, PODS, podAddresses, runningPod, SERVICES } from "./workloads.ts";

/** A kernel that is shared, and what its nodes' pods talk on. */
export interface SharedKernel {
  /** Each is to have an agent; the last one's pod is called. */
  readonly places: readonly [NodePlace, NodePlace, ...NodePlace[]];
  /** The one for IPv4, the other for IPv6. */
  readonly ports: LossPorts;
}

/** Pods of the nodes, and which of them call which targets as they start. */
interface Call {
  readonly caller: NodePlan;
  readonly label: string;
  readonly target: string;
}

/** Emulated, each write takes long. */
const RATE = "-rate=3";
const LOSS_PERCENT = 20;
/** Emulated, the start of a pod takes many times as long. */
const PATIENCE_MS = 300_000;

/** Name of the one pod that a node has here. */
export function twinOn({ name }: Pick<NodePlan, "name">): string {
  return `twin-${name}`;
}

/** Addresses of each node's pod, by the node's name. */
export type Twins = ReadonlyMap<string, DualStack>;

/**
 * A pod on each node. On each kernel the last one is called by its Service from the others, and that in the virtual machine from
 * node-a too; every connection is open when this returns.
 */
export async function openTwins(
  cluster: Cluster,
  log: TrafficLog,
  kernels: readonly SharedKernel[],
): Promise<Twins> {
  const calls = (await Promise.all(kernels.map((kernel) => openCallee(cluster, kernel)))).flat();
  for (const [caller, own] of Map.groupBy(calls, ({ caller }) => caller)) {
    const connect = own.map(({ label, target }) => `${label}=${target}`).join(",");
    await createPod(cluster, twinOn(caller), { node: caller, args: [RATE, `-connect=${connect}`] });
  }
  const twins = kernels
    .flatMap(({ places }) => places)
    .map(async ({ plan }) => [plan.name, podAddresses(await runningPod(cluster, twinOn(plan)))] as const);
  const isOpen = () => {
    const open = new Set(log.connections("open").map(({ label }) => label));
    const missing = calls.filter(({ label }) => !open.has(label));
    if (missing.length > 0) throw new Error(`not open: ${missing.map(({ label }) => label).join(" ")}`);
    return true;
  };
  await until("the twins' connections", isOpen, { timeoutMs: PATIENCE_MS, everyMs: 300 });
  return new Map(await Promise.all(twins));
}

/** The pod that is called, and its Service; gives the calls to come. */
async function openCallee(cluster: Cluster, { places, ports }: SharedKernel): Promise<readonly Call[]> {
  const { plan } = calleeOf(places);
  const app = twinOn(plan);
  const { low, high } = ports;
  await createPod(cluster, app, { node: plan, labels: { app }, args: [RATE, `-listen=${low}-${high}`] });
  const { v4, v6 } = await createService(cluster, app, { app, ports: [{ port: low }, { port: high }] });
  const callers = new Set([cluster.a, ...places.slice(0, -1)].map((place) => place.plan));
  return [...callers].flatMap((caller) => {
    const label = `${twinOn(caller)}-${plan.name}`;
    return [
      { caller, label: `${label}-4`, target: hostPort(v4, low) },
      { caller, label: `${label}-6`, target: hostPort(v6, high) },
    ];
  });
}

export async function closeTwins({ api }: Cluster, kernels: readonly SharedKernel[]): Promise<void> {
  for (const { places } of kernels) {
    for (const { plan } of places) await api.delete(`${PODS}/${twinOn(plan)}`);
    await api.delete(`${SERVICES}/${twinOn(calleeOf(places).plan)}`);
  }
}

/** From now on packets of the called pods are lost on their nodes, in both directions. */
export async function startTwinLoss(kernels: readonly SharedKernel[]): Promise<void> {
  for (const { places, ports } of kernels) await loseOnNode(onNode(calleeOf(places)), LOSS_PERCENT, ports);
}

export async function endTwinLoss(kernels: readonly SharedKernel[]): Promise<void> {
  for (const { places } of kernels) await endLossOnNode(onNode(calleeOf(places)));
}

function calleeOf(places: SharedKernel["places"]): NodePlace {
  return places.at(-1) ?? places[1];
}

/** Runs programs as the node's own. */
function onNode({ runner, entry }: NodePlace): Parameters<typeof loseOnNode>[0] {
  return { exec: (args) => runner.exec([...entry, ...args]) };
}
