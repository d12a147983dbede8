import type { Cluster, NodePlace } from "../lab/cluster/cluster.ts";
import { type DualStack, hostPort, NODE_A, NODE_B, type NodePlan } from "../lab/cluster/plan.ts";
import { side } from "./paths.ts";
import { createPod, createService, podAddresses, podTemplate, runningPod } from "./workloads.ts";

/** Loss falls on them as on the paths' ports. */
export const PORTS = { low: 20_111, high: 20_118 };
/** Of connections that are there all the time. */
export const STEADY = { low: 20_111, high: 20_112 };
const STATIC_PORT = 20_113;
const SERVICE_PORT = 20_114;
const HOST_PORT = 20_115;

/** The pod that is made when the API server is back, the service that it dials, and a pod on its node's network. */
export const FRESH = { pod: "fresh-a", service: "fresh-web", hostPod: "fresh-host" } as const;
/** Labels of its connections. */
export const FRESH_LABELS = { service: "fresh-service", host: "fresh-on-host" } as const;

/** Pods of both nodes that talk to each other all the time. */
export async function createSteadyPods(cluster: Cluster): Promise<void> {
  for (const node of [NODE_A, NODE_B]) {
    const name = serverOn(node);
    await createPod(cluster, name, {
      node,
      labels: { app: name },
      args: [`-listen=${PORTS.low}-${PORTS.high}`],
    });
  }
  for (const node of [NODE_A, NODE_B]) {
    const { v4, v6 } = await addressesOf(cluster, serverOn(other(node)));
    const to = { v4: hostPort(v4, STEADY.low), v6: hostPort(v6, STEADY.high) };
    const targets = Object.entries(to).map(([family, target]) => `steady-${side(node)}-${family}=${target}`);
    await createPod(cluster, clientOn(node), { node, args: [`-connect=${targets.join(",")}`] });
  }
  await Promise.all([NODE_A, NODE_B].map((node) => runningPod(cluster, clientOn(node))));
}

/** Lets kubelet alone start a pod that talks to the other node's server; gives its name in the API. */
export async function startStaticPod(place: NodePlace, server: DualStack): Promise<string> {
  const { plan, runner, staticPods } = place;
  const name = `static-${side(plan)}`;
  const args = [`-connect=${name}=${hostPort(server.v4, STATIC_PORT)}`];
  const { spec } = podTemplate({ node: plan, args });
  const metadata = { name, namespace: "default" };
  const manifest = JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata, spec });
  // kubelet does not read what begins with a dot.
  const script = 'printf %s "$2" > "$0/.$1" && mv "$0/.$1" "$0/$1"';
  await runner.exec(["sh", "-c", script, staticPods, `${name}.json`, manifest]);
  return `${name}-${plan.name}`;
}

/** Makes a pod, a service and an EndpointSlice that nobody who lost a right can know. */
export async function createFresh(cluster: Cluster): Promise<void> {
  const web = { app: serverOn(NODE_B), ports: [{ port: SERVICE_PORT }] };
  const service = await createService(cluster, FRESH.service, web);
  await createPod(cluster, FRESH.hostPod, {
    node: NODE_B,
    hostNetwork: true,
    labels: { app: FRESH.hostPod },
    args: [`-listen=${HOST_PORT}-${HOST_PORT}`],
  });
  await createService(cluster, FRESH.hostPod, { app: FRESH.hostPod, ports: [{ port: HOST_PORT }] });
  await runningPod(cluster, FRESH.hostPod);
  const targets = [
    `${FRESH_LABELS.service}=${hostPort(service.v4, SERVICE_PORT)}`,
    `${FRESH_LABELS.host}=${hostPort(NODE_B.address.v4, HOST_PORT)}`,
  ];
  await createPod(cluster, FRESH.pod, { node: NODE_A, args: [`-connect=${targets.join(",")}`] });
}

export async function addressesOf(cluster: Cluster, pod: string): Promise<DualStack> {
  return podAddresses(await runningPod(cluster, pod));
}

export function serverOn(node: NodePlan): string {
  return `steady-server-${side(node)}`;
}

export function clientOn(node: NodePlan): string {
  return `steady-client-${side(node)}`;
}

export function other(node: NodePlan): NodePlan {
  return node === NODE_A ? NODE_B : NODE_A;
}
