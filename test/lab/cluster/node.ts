import { mkdirSync } from "node:fs";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../run.ts";
import { Daemon } from "./daemon.ts";
import {
  cniSettings,
  containerdRoot,
  containerdSettings,
  containerdSocket,
  kubeletSettings,
  kubeProxySettings,
  type NodeDirs,
  ONE_SEGMENT,
  staticPodDir,
} from "./node-settings.ts";
import { type NodeSpaces, ownMounts } from "./node-spaces.ts";
import type { NodePlan } from "./plan.ts";
import { until } from "./until.ts";

/** What a node is started with. */
export interface NodeOrder {
  readonly plan: NodePlan;
  /** Programs of the cluster. */
  readonly bin: string;
  /** Of this node only; configuration and logs are written there. */
  readonly dir: string;
  readonly pki: string;
  readonly kubeconfig: string;
  readonly kubeProxyKubeconfig: string;
  /** What containerd has when it starts: image-root.ts makes it. */
  readonly imageRoot: string;
  /** Pods' links take packets of one segment only. */
  readonly oneSegment: boolean;
  /** Its pods' cgroups are below this one. */
  readonly cgroupRoot?: string;
}

/**
 * containerd, kubelet and kube-proxy of one node. On the kernel's own node they share every namespace of the host but
 * that of mounts; nodes that share a kernel have all of their own.
 */
export class ClusterNode {
  readonly plan: NodePlan;
  readonly #dirs: NodeDirs;
  readonly #spaces: NodeSpaces;
  readonly #order: NodeOrder;
  readonly #daemons: Daemon[] = [];

  private constructor(order: NodeOrder, dirs: NodeDirs, spaces: NodeSpaces) {
    this.plan = order.plan;
    this.#order = order;
    this.#dirs = dirs;
    this.#spaces = spaces;
  }

  /** Starts it; the API server sees it become Ready some seconds later. */
  static async start(
    order: NodeOrder,
    makeSpaces: (dirs: NodeDirs) => Promise<NodeSpaces> = ownMounts,
  ): Promise<ClusterNode> {
    const { dir, pki } = order;
    const dirs = { dir, pki, state: stateDir(dir) };
    const own = ["cni", "cni-bin", "log"].map((name) => join(dir, name));
    for (const path of [...own, staticPodDir(dir), dirs.state]) mkdirSync(path, { recursive: true });
    const node = new ClusterNode(order, dirs, await makeSpaces(dirs));
    await node.#startPrograms();
    return node;
  }

  /** Put before a program's name, these arguments run it as a process of this node. */
  get entry(): readonly [string, ...string[]] {
    return this.#spaces.entry;
  }

  /** Of its configuration and logs. */
  get dir(): string {
    return this.#dirs.dir;
  }

  /** The host-local IPAM's files, which say which address comes next. */
  get ipamDir(): string {
    return join(this.#spaces.root, this.#dirs.state, "ipam/lab");
  }

  /** Its pods go on; a kubelet that starts registers its node. */
  async restartKubelet(): Promise<void> {
    await this.#daemon("kubelet")?.stop();
    this.#startKubelet();
  }

  /** Ends its programs and pods, and leaves no mount, link, table, cgroup or namespace. */
  async stop(): Promise<void> {
    for (const name of ["kubelet", "kube-proxy"]) await this.#daemon(name)?.stop();
    await this.#spaces.endPods();
    await this.#daemon("containerd")?.stop();
    await this.#spaces.end();
  }

  async #startPrograms(): Promise<void> {
    const order = this.#order;
    const { plan, bin, dir } = order;
    const dirs = this.#dirs;
    const write = (name: string, settings: object | string) =>
      writeFile(join(dir, name), typeof settings === "string" ? settings : JSON.stringify(settings));
    await write("cni/10-lab.conflist", cniSettings(plan, dirs, order));
    const plugin = `#!/bin/sh\nexec '${process.execPath}' '${join(import.meta.dirname, "one-segment.ts")}'\n`;
    await write(`cni-bin/${ONE_SEGMENT}`, plugin);
    await chmod(join(dir, "cni-bin", ONE_SEGMENT), 0o755);
    await write("containerd.toml", containerdSettings(dirs));
    await write("kubelet.json", kubeletSettings(plan, dirs, order));
    await write("kube-proxy.json", kubeProxySettings(plan, { kubeconfig: order.kubeProxyKubeconfig }));
    const [enter, ...inside] = this.entry;
    await run(enter, [...inside, "cp", "-a", `${order.imageRoot}/.`, containerdRoot(dirs)]);
    this.#start("containerd", join(bin, "containerd"), ["-c", join(dir, "containerd.toml")], bin);
    this.#start("kube-proxy", join(bin, "kube-proxy"), ["--config", join(dir, "kube-proxy.json")], bin);
    const [program, ...before] = ctrCommand(this.entry, { bin, dir });
    const ctr = (...args: string[]) => run(program, [...before, ...args]);
    await until("containerd", async () => (await ctr("plugins", "ls")).includes("cri"), {
      timeoutMs: 300_000,
      everyMs: 300,
    }).catch(async (error: unknown) => {
      throw new Error(`Cannot start containerd: ${await this.#daemons[0]?.lastWords()}`, { cause: error });
    });
    this.#startKubelet();
  }

  #startKubelet(): void {
    const { plan, bin, dir, kubeconfig } = this.#order;
    const { state } = this.#dirs;
    const flags = {
      config: join(dir, "kubelet.json"),
      kubeconfig,
      "hostname-override": plan.name,
      "node-ip": `${plan.address.v4},${plan.address.v6}`,
      "root-dir": join(state, "kubelet"),
      "cert-dir": join(state, "kubelet-pki"),
    };
    const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    this.#start("kubelet", join(bin, "kubelet"), args, bin);
  }

  /** The last one that was started under a name. */
  #daemon(name: string): Daemon | undefined {
    return this.#daemons.findLast((daemon) => daemon.name === name);
  }

  #start(name: string, program: string, args: readonly string[], bin: string): void {
    // containerd looks for its shim in the search path.
    const env = { ...process.env, PATH: `${bin}:${process.env["PATH"]}` };
    const logFile = join(this.#dirs.dir, "log", `${name}.log`);
    this.#daemons.push(Daemon.start(name, [...this.entry, program, ...args], { logFile, env }));
  }
}

/** Put before its arguments, these run `ctr` on the kubelet's images and containers of a node. */
export function ctrCommand(
  entry: readonly [string, ...string[]],
  { bin, dir }: { readonly bin: string; readonly dir: string },
): readonly [string, ...string[]] {
  const socket = containerdSocket({ state: stateDir(dir) });
  return [...entry, join(bin, "ctr"), "-a", socket, "-n", "k8s.io"];
}

function stateDir(dir: string): string {
  return join(dir, "state");
}
