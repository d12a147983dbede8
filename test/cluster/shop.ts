import type { Cluster } from "../lab/cluster/cluster.ts";
import { endLossOnWire, loseOnWire } from "../lab/cluster/loss.ts";
import { hostPort, NODE_A, NODE_B, type NodePlan } from "../lab/cluster/plan.ts";
import { until } from "../lab/cluster/until.ts";
import type { TrafficLog } from "./traffic-log.ts";
import { podTemplate } from "./workloads.ts";

/** A Deployment that calls another one's Service on the other node. */
export interface Call {
  readonly caller: string;
  readonly callee: string;
  readonly from: NodePlan;
  readonly to: NodePlan;
  readonly port: number;
}

/** Of the workloads. */
export const SHOP = "shop";

/** In both directions: each node has a caller, and a Service's backend that answers. */
export const CALLS: readonly Call[] = [
  { caller: "front", callee: "cart", from: NODE_A, to: NODE_B, port: 20_140 },
  { caller: "billing", callee: "ledger", from: NODE_B, to: NODE_A, port: 20_142 },
];

const LOSS_PERCENT = 20;
const PORTS = { low: 20_140, high: 20_149 };
const APPS = `/apis/apps/v1/namespaces/${SHOP}/deployments`;
const CORE = `/api/v1/namespaces/${SHOP}`;
/** Emulated, the start of a pod takes many times as long. */
const PATIENCE_MS = 300_000;

/** Makes the workloads; each calls by both families, and every connection is open when it returns. */
export async function openShop(cluster: Cluster, log: TrafficLog): Promise<void> {
  const { api } = cluster;
  await api.create("/api/v1/namespaces", { metadata: { name: SHOP } });
  for (const { caller, callee, from, to, port } of CALLS) {
    await deploy(cluster, callee, { node: to, args: [`-listen=${port}-${port}`] });
    const { spec } = await api.create(`${CORE}/services`, {
      metadata: { name: callee },
      spec: { ipFamilyPolicy: "RequireDualStack", selector: { app: callee }, ports: [{ port }] },
    });
    const addresses: readonly string[] = spec.clusterIPs;
    const targets = addresses.map((address, i) => `${labelOf(caller, i)}=${hostPort(address, port)}`);
    await deploy(cluster, caller, { node: from, args: [`-connect=${targets.join(",")}`] });
  }
  await until(
    "the shop's connections",
    () => {
      const open = new Set(log.connections("open").map(({ label }) => label));
      const missing = CALLS.flatMap(({ caller }) => [labelOf(caller, 0), labelOf(caller, 1)]).filter(
        (label) => !open.has(label),
      );
      if (missing.length > 0) throw new Error(`not open: ${missing.join(" ")}`);
      return true;
    },
    { timeoutMs: PATIENCE_MS, everyMs: 300 },
  );
}

/** From now on the shop's packets are lost between the nodes. */
export async function startShopLoss(): Promise<void> {
  await loseOnWire(LOSS_PERCENT, PORTS);
}

export async function endShopLoss(): Promise<void> {
  await endLossOnWire();
}

/** Ends the workloads. */
export async function closeShop({ api }: Cluster): Promise<void> {
  await api.delete(`/api/v1/namespaces/${SHOP}`);
}

async function deploy(
  { api }: Cluster,
  name: string,
  { node, args }: { readonly node: NodePlan; readonly args: readonly string[] },
): Promise<void> {
  const labels = { app: name };
  const template = podTemplate({ node, labels, args });
  await api.create(APPS, { metadata: { name }, spec: { selector: { matchLabels: labels }, template } });
}

function labelOf(caller: string, family: number): string {
  return `${SHOP}-${caller}-${family}`;
}
