/** A flow of segments from a pod to one peer. */
export interface Flow {
  readonly pod: SyntheticPod;
  readonly to: Peer;
  /** Segments a second. */
  readonly rate: number;
  /** Long transfers, or short exchanges. */
  readonly shape: "bulk" | "rpc";
}

export interface SyntheticPod {
  readonly namespace: string;
  readonly workloadKind: string;
  readonly workload: string;
  readonly name: string;
  readonly node: string;
  /** On the node's network: the kernel's counters are not its own. */
  readonly isOnHost?: boolean;
}

/** Who is at the other end, as metrics name it. */
export interface Peer {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly node?: string;
}

export const CLUSTER = "prod-1";
export const NODES = ["node-1", "node-2", "node-3", "node-4", "node-5", "node-6"] as const;
/** Minutes of history, and when things go wrong in it. */
export const MINUTES = 120;
export const BAD_CARD_FROM = 78;
export const LEDGER_DOWN_FROM = 96;
export const COLLECTOR_AWAY = [104, 109] as const;
export const BAD_NODE = "node-4";

export function zoneOf(node: string): string {
  return `zone-${"abc"[(Number(node.slice(-1)) - 1) % 3]}`;
}

/** A shop: web → checkout and cart → a database and a cache; payments → a ledger; bulk copies; an ingress on the nodes. */
export function flows(): readonly Flow[] {
  const web = pods("shop", "web", [1, 3, 4, 5]);
  const checkout = pods("shop", "checkout", [2, 4, 6]);
  const cart = pods("shop", "cart", [1, 5]);
  const database = pods("data", "orders-db", [3], "StatefulSet");
  const cache = pods("data", "cache", [2, 6], "StatefulSet");
  const gateway = pods("payments", "gateway", [1, 5]);
  const ledger = pods("payments", "ledger", [3]);
  const transcoder = pods("media", "transcoder", [4, 6], "Job");
  const store = pods("media", "store", [1, 2, 5], "StatefulSet");
  const ingress = pods("ingress", "nginx", [1, 2, 3, 4, 5, 6], "DaemonSet").map((pod) => ({
    ...pod,
    isOnHost: true,
  }));
  const external: Peer = { kind: "external", name: "external" };
  return [
    ...between(ingress, web, 220),
    ...ingress.map((pod) => flow(pod, external, 900)),
    ...between(web, checkout, 260),
    ...between(web, cart, 140),
    ...between(checkout, database, 320),
    ...between(database, checkout, 520),
    ...between(cart, cache, 90),
    ...between(cache, cart, 210),
    ...between(checkout, gateway, 40),
    ...between(gateway, ledger, 60).map((each) => ({ ...each, to: serviceOf(each.to) })),
    ...gateway.map((pod) => flow(pod, { kind: "cidr", name: "card-network" }, 30)),
    ...between(transcoder, store, 2600, "bulk"),
    ...between(store, transcoder, 1400, "bulk"),
  ];
}

/** Share of a flow's segments that are lost, in a minute. */
export function lossOf({ pod, to }: Flow, minute: number): number {
  const isBad = minute >= BAD_CARD_FROM;
  if (to.kind === "external") return 0.006;
  if (isBad && pod.node === BAD_NODE) return 0.028;
  if (isBad && to.node === BAD_NODE) return 0.012;
  return pod.node === to.node ? 0.00005 : 0.0008;
}

/** Whether the ledger has gone and nobody answers. */
export function isDead({ to }: Flow, minute: number): boolean {
  return to.name === "payments/ledger" && minute >= LEDGER_DOWN_FROM;
}

/** What a loss ends in, by the shape of the flow. */
export const CAUSES: Readonly<Record<Flow["shape"], Readonly<Record<string, number>>>> = {
  bulk: { fast: 0.76, reordering: 0.06, slow_start: 0.09, timeout: 0.03, tail_loss_probe: 0.06 },
  rpc: { fast: 0.3, slow_start: 0.03, timeout: 0.1, tail_loss_probe: 0.53, syn: 0.02, syn_ack: 0.02 },
};

function pods(
  namespace: string,
  workload: string,
  nodes: readonly number[],
  workloadKind = "Deployment",
): SyntheticPod[] {
  return nodes.map((node, i) => {
    const hash = (workload.length * 7919 + node * 104_729).toString(36).slice(-5);
    const name = workloadKind === "StatefulSet" ? `${workload}-${i}` : `${workload}-${hash}`;
    return { namespace, workloadKind, workload, name, node: `node-${node}` };
  });
}

function between(
  from: readonly SyntheticPod[],
  to: readonly SyntheticPod[],
  rate: number,
  shape: Flow["shape"] = "rpc",
): Flow[] {
  return from.flatMap((pod) =>
    to.map(({ namespace, workload, node }) => ({
      pod,
      to: { kind: "workload", name: `${namespace}/${workload}`, namespace, node },
      rate,
      shape,
    })),
  );
}

function flow(pod: SyntheticPod, to: Peer, rate: number): Flow {
  return { pod, to, rate, shape: "rpc" };
}

/** A service whose backend the node does not know: it has none while it is down. */
function serviceOf({ namespace, name }: Peer): Peer {
  return { kind: "service", name, ...(namespace === undefined ? {} : { namespace }) };
}
