import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { installPrograms } from "../debian.ts";
import { type ControlPlane, createCredentials, startControlPlane } from "./control-plane.ts";
import { goTools, trafficProgram } from "./go-tools.ts";
import { guestNodeDir } from "./guest-protocol.ts";
import { createHostNetwork } from "./host-network.ts";
import { imageRoot } from "./image-root.ts";
import { packTraffic } from "./images.ts";
import type { KubeApi } from "./kube-api.ts";
import { ClusterNode, ctrCommand } from "./node.ts";
import { staticPodDir } from "./node-settings.ts";
import { endPods } from "./node-spaces.ts";
import { NESTED_NODES, NODE_A, NODE_B, type NodePlan, SIBLING_NODES } from "./plan.ts";
import { grantProduct } from "./product-rights.ts";
import { LocalRunner, type ProgramRunner } from "./program-runner.ts";
import { createSiblingLink, removeSiblings, siblingSpaces } from "./sibling-spaces.ts";
import { endLeftProcesses } from "./sweep.ts";
import { until } from "./until.ts";
import { guestPath, VmNode } from "./vm-node.ts";

/** Debian's packages that the cluster needs on this machine, by a program of each. */
export const CLUSTER_PACKAGES = {
  runc: "runc",
  "/usr/lib/cni/bridge": "containernetworking-plugins",
  nft: "nftables",
  ip: "iproute2",
  openssl: "openssl",
  nsenter: "util-linux",
};

/** A node as a place to run programs: with its mounts, and with files that this process can read. */
export interface NodePlace {
  readonly plan: NodePlan;
  /** `tracepoint` on this machine's kernel, `kprobe` in the virtual machine. */
  readonly rung: "tracepoint" | "kprobe";
  readonly runner: ProgramRunner;
  readonly entry: readonly [string, ...string[]];
  /** Put before its arguments, these run `ctr` on the node's images and containers. */
  readonly ctr: readonly [string, ...string[]];
  /** Path of a file on the node, and of the same file here. */
  readonly file: (name: string) => { readonly there: string; readonly here: string };
  /** Of the node: pods whose manifests are put here run without the API server. */
  readonly staticPods: string;
}

/** A Kubernetes cluster of two nodes: this machine, and a virtual machine with kprobes. */
export interface Cluster {
  readonly api: KubeApi;
  /** Of the product: it may list and watch pods, services and EndpointSlices, and list nodes. */
  readonly kubeconfig: string;
  /** Of any user, by name. */
  readonly kubeconfigOf: (user: string) => string;
  readonly adminKubeconfig: string;
  /** Programs of the cluster, kubectl among them. */
  readonly bin: string;
  readonly a: NodePlace;
  readonly b: NodePlace;
  readonly controlPlane: ControlPlane;
  /** The IPAM's files of node-a, which say which address comes next. */
  readonly ipamDir: string;
  /** The pods' program, to run it elsewhere. */
  readonly traffic: string;
  readonly dir: string;
  /** Starts two nodes that share node-b's kernel; gives them when they are Ready. */
  startNested(): Promise<readonly NodePlace[]>;
  /** The same on this machine's kernel, beside node-a. */
  startSiblings(): Promise<readonly NodePlace[]>;
  /** Restarts the kubelet of node-a, whose Node was deleted; the Node is Ready when this returns. */
  registerAgain(): Promise<void>;
  stop(): Promise<void>;
}

/** How long the virtual machine may run. */
const LIFETIME_MS = 45 * 60_000;

/**
 * Starts the cluster under `labDir`, whose nodes have the images of more archives than that of the workloads; both nodes are Ready
 * when it returns. Needs root; one at a time on a machine.
 */
export async function startCluster(
  labDir: string,
  say: (line: string) => void,
  { archives = [] }: { readonly archives?: readonly string[] } = {},
): Promise<Cluster> {
  await installPrograms(CLUSTER_PACKAGES);
  const dir = join(labDir, "cluster");
  await using undo = new AsyncDisposableStack();
  undo.use(await lock(labDir));
  await endLeftProcesses(labDir);
  await endPods();
  await removeSiblings();
  const started = performance.now();
  const tell = (text: string) => say(`${((performance.now() - started) / 1000).toFixed(1)} s: ${text}`);
  const bin = await goTools(labDir, say);
  const traffic = await trafficProgram(labDir);
  const imageFile = `${traffic}.tar`;
  if (!existsSync(imageFile)) await packTraffic(traffic, imageFile);
  const images = await imageRoot(labDir, { bin, archives: [imageFile, ...archives] });
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  undo.use(await createHostNetwork());
  const pki = join(dir, "pki");
  const credentials = await createCredentials(pki);
  const kubeconfig = (name: string) => join(pki, `${name}.kubeconfig`);
  const order = (plan: NodePlan) => ({
    plan,
    bin,
    pki,
    imageRoot: images,
    // This machine's kernel cannot say how many segments a retransmit is.
    oneSegment: [NODE_A, ...SIBLING_NODES].includes(plan),
    kubeconfig: kubeconfig(plan.name),
    kubeProxyKubeconfig: kubeconfig("admin"),
  });
  const outDir = join(dir, NODE_B.name);
  const booting = VmNode.boot(order(NODE_B), { labDir, outDir, timeoutMs: LIFETIME_MS, say: tell });
  undo.defer(async () => (await booting.catch(() => undefined))?.end());
  const controlPlane = await startControlPlane(credentials, { bin, dir: join(dir, "control-plane") });
  undo.defer(() => controlPlane.stop());
  tell("the API server is ready");
  const { api } = controlPlane;
  await createNodes(api, [NODE_A, NODE_B]);
  await grantProduct(api);
  const nodeA = await ClusterNode.start({ ...order(NODE_A), dir: join(dir, NODE_A.name) });
  undo.defer(() => nodeA.stop());
  const runner = new LocalRunner();
  undo.defer(() => runner.stopAll());
  const vm = await booting;
  tell("node-b answers");
  await Promise.all([NODE_A, NODE_B].map(({ name }) => nodeReady(api, name, tell)));
  const proxied = ["nft", "list", "table", "ip6", "kube-proxy"] as const;
  await until("node-a's kube-proxy", () => runner.exec(proxied));
  await until("node-b's kube-proxy", () => vm.exec(proxied));
  await until("the default service account", () =>
    api.get("/api/v1/namespaces/default/serviceaccounts/default"),
  );
  const vmFile = (name: string) => ({ there: guestPath(name), here: join(vm.outDir, name) });
  const place = (
    entry: NodePlace["entry"],
    { dir: ownDir, ...rest }: Omit<NodePlace, "entry" | "ctr" | "staticPods"> & { readonly dir: string },
  ): NodePlace => ({
    ...rest,
    entry,
    ctr: ctrCommand(entry, { bin, dir: ownDir }),
    staticPods: staticPodDir(ownDir),
  });
  const startNested = async () => {
    await createNodes(api, NESTED_NODES);
    const entries = await vm.startNested(NESTED_NODES.map(order));
    await Promise.all(NESTED_NODES.map(({ name }) => nodeReady(api, name, tell)));
    return NESTED_NODES.map((plan): NodePlace => {
      const entry = entries[plan.name];
      if (entry === undefined) throw new Error(`Cannot start ${plan.name}`);
      return place(entry, { plan, rung: "kprobe", runner: vm, dir: guestNodeDir(plan), file: vmFile });
    });
  };
  const registerAgain = async () => {
    const path = `/api/v1/nodes/${NODE_A.name}`;
    await nodeA.restartKubelet();
    await until("node-a's registration", () => api.get(path));
    await api.patch(path, nodeObject(NODE_A));
    await nodeReady(api, NODE_A.name, tell);
  };
  let nested: Promise<readonly NodePlace[]> | undefined;
  const onThisMachine = ({ plan, entry, dir: ownDir }: ClusterNode): NodePlace =>
    place(entry, { plan, rung: "tracepoint", runner, dir: ownDir, file: (name) => local(dir, name) });
  let siblings: Promise<readonly NodePlace[]> | undefined;
  const startSiblings = async () => {
    await createNodes(api, SIBLING_NODES);
    owned.use(await createSiblingLink());
    const places = SIBLING_NODES.map(async (plan): Promise<NodePlace> => {
      const own = { ...order(plan), dir: join(dir, plan.name), cgroupRoot: `/${plan.name}` };
      const node = await ClusterNode.start(own, (dirs) => siblingSpaces(plan, dirs));
      owned.defer(() => node.stop());
      await nodeReady(api, plan.name, tell);
      return onThisMachine(node);
    });
    return Promise.all(places);
  };
  const owned = undo.move();
  return {
    api,
    registerAgain,
    startNested: () => (nested ??= startNested()),
    startSiblings: () => (siblings ??= startSiblings()),
    controlPlane,
    traffic,
    dir,
    kubeconfig: kubeconfig("tcpretrans"),
    kubeconfigOf: kubeconfig,
    adminKubeconfig: kubeconfig("admin"),
    ipamDir: nodeA.ipamDir,
    bin,
    a: onThisMachine(nodeA),
    b: place(await vm.entry(), {
      ...{ plan: NODE_B, rung: "kprobe", runner: vm, dir: guestNodeDir(NODE_B) },
      file: vmFile,
    }),
    stop: () => owned.disposeAsync(),
  };
}

/** One cluster at a time: its addresses are fixed. What a killed one left is taken away by the next one's start. */
async function lock(labDir: string): Promise<AsyncDisposable> {
  const path = join(labDir, "cluster.pid");
  await mkdir(labDir, { recursive: true });
  const holder = (await readFile(path, "utf8").catch(() => "")).trim();
  if (holder !== "" && existsSync(`/proc/${holder}`))
    throw new Error(`Cannot start a cluster: process ${holder} has one`);
  await writeFile(path, String(process.pid));
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
}

/** Before kubelet would: with pod ranges, zones, and addresses, which kube-proxy waits for. */
async function createNodes(api: KubeApi, plans: readonly NodePlan[]): Promise<void> {
  for (const plan of plans) {
    const { name, address } = plan;
    await api.create("/api/v1/nodes", nodeObject(plan));
    const addresses = [
      { type: "InternalIP", address: address.v4 },
      { type: "InternalIP", address: address.v6 },
      { type: "Hostname", address: name },
    ];
    await api.patch(`/api/v1/nodes/${name}/status`, { status: { addresses } });
  }
}

/** What no kubelet knows of itself. */
function nodeObject({ name, zone, podRange }: NodePlan): object {
  const labels = { "topology.kubernetes.io/zone": zone, "kubernetes.io/hostname": name };
  const podCIDRs = [podRange.v4, podRange.v6];
  return { metadata: { name, labels }, spec: { podCIDR: podRange.v4, podCIDRs } };
}

async function nodeReady(api: KubeApi, name: string, tell: (text: string) => void): Promise<void> {
  const isReady = async () => {
    const { status } = await api.get(`/api/v1/nodes/${name}`);
    const conditions: { type: string; status: string }[] = status.conditions ?? [];
    return conditions.some(({ type, status: value }) => type === "Ready" && value === "True");
  };
  await until(`${name} to be ready`, isReady, { timeoutMs: 300_000, everyMs: 300 });
  tell(`${name} is ready`);
}

function local(dir: string, name: string): { readonly there: string; readonly here: string } {
  const path = join(dir, name);
  return { there: path, here: path };
}
