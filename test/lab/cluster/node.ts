import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "../run.ts";
import { Daemon } from "./daemon.ts";
import {
  cniSettings,
  containerdSettings,
  containerdSocket,
  kubeletSettings,
  kubeProxySettings,
  type NodeDirs,
} from "./node-settings.ts";
import type { NodePlan } from "./plan.ts";
import { killNow, members, mountsOf } from "./sweep.ts";
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
  readonly imageFile: string;
}

/** Directories that containerd, kubelet and CNI write to by name: the node has its own, in memory. */
const OWN_DIRS = ["/var/lib", "/var/log", "/run/containerd"];
const CGROUPS = "/sys/fs/cgroup";

/**
 * containerd, kubelet and kube-proxy of one node on the kernel that this runs on. They live in a mount namespace of
 * their own, so that their mounts end with them; every other namespace is the host's.
 */
export class ClusterNode {
  readonly #dirs: NodeDirs;
  readonly #holder: Daemon;
  readonly #daemons: Daemon[] = [];

  private constructor(dirs: NodeDirs, holder: Daemon) {
    this.#dirs = dirs;
    this.#holder = holder;
  }

  /** Starts it; the API server sees it become Ready some seconds later. */
  static async start(order: NodeOrder): Promise<ClusterNode> {
    const { dir, pki } = order;
    sweepNode();
    const dirs = { dir, pki, state: join(dir, "state") };
    mkdirSync(join(dir, "cni"), { recursive: true });
    mkdirSync(join(dir, "log"), { recursive: true });
    mkdirSync(dirs.state, { recursive: true });
    const holder = await holdMounts(dirs);
    const node = new ClusterNode(dirs, holder);
    await node.#startPrograms(order);
    return node;
  }

  /** Put before a program's name, these arguments run it as a process of this node: with its mounts. */
  get entry(): readonly [string, ...string[]] {
    return ["nsenter", "-t", String(this.#holder.pid), "-m", "--"];
  }

  /** The host-local IPAM's files, which say which address comes next. */
  get ipamDir(): string {
    return `/proc/${this.#holder.pid}/root${join(this.#dirs.state, "ipam/lab")}`;
  }

  /** Ends its programs and pods, and leaves no mount, link, table, cgroup or namespace. */
  async stop(): Promise<void> {
    const mounts = mountsOf(this.#holder.pid);
    for (const name of ["kubelet", "kube-proxy"]) {
      await this.#daemons.find((daemon) => daemon.name === name)?.stop();
    }
    await endPods();
    await this.#daemons.find(({ name }) => name === "containerd")?.stop();
    await this.#holder.stop("SIGKILL");
    await until("the end of the node's processes", () => {
      for (const pid of members(mounts)) killNow(pid);
      return members(mounts).length === 0;
    });
    sweepNode();
  }

  async #startPrograms(order: NodeOrder): Promise<void> {
    const { plan, bin, dir, kubeconfig } = order;
    const dirs = this.#dirs;
    const write = (name: string, settings: object | string) =>
      writeFile(join(dir, name), typeof settings === "string" ? settings : JSON.stringify(settings));
    await write("cni/10-lab.conflist", cniSettings(plan, dirs));
    await write("containerd.toml", containerdSettings(dirs));
    await write("kubelet.json", kubeletSettings(plan, dirs));
    await write("kube-proxy.json", kubeProxySettings(plan, { kubeconfig: order.kubeProxyKubeconfig }));
    this.#start("containerd", join(bin, "containerd"), ["-c", join(dir, "containerd.toml")], bin);
    this.#start("kube-proxy", join(bin, "kube-proxy"), ["--config", join(dir, "kube-proxy.json")], bin);
    const socket = containerdSocket(dirs);
    const ctr = (...args: string[]) =>
      run(this.entry[0], [...this.entry.slice(1), join(bin, "ctr"), "-a", socket, "-n", "k8s.io", ...args]);
    await until("containerd", async () => (await ctr("plugins", "ls")).includes("cri"), {
      timeoutMs: 120_000,
      everyMs: 300,
    }).catch(async (error: unknown) => {
      throw new Error(`Cannot start containerd: ${await this.#daemons[0]?.lastWords()}`, { cause: error });
    });
    await ctr("image", "import", order.imageFile);
    const flags = {
      config: join(dir, "kubelet.json"),
      kubeconfig,
      "hostname-override": plan.name,
      "node-ip": `${plan.address.v4},${plan.address.v6}`,
      "root-dir": join(dirs.state, "kubelet"),
      "cert-dir": join(dirs.state, "kubelet-pki"),
    };
    const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    this.#start("kubelet", join(bin, "kubelet"), args, bin);
  }

  #start(name: string, program: string, args: readonly string[], bin: string): void {
    // containerd looks for its shim in the search path.
    const env = { ...process.env, PATH: `${bin}:${process.env["PATH"]}` };
    const logFile = join(this.#dirs.dir, "log", `${name}.log`);
    this.#daemons.push(Daemon.start(name, [...this.entry, program, ...args], { logFile, env }));
  }
}

/** Makes the node's mount namespace, and gives the process that keeps it. */
async function holdMounts({ dir, state }: NodeDirs): Promise<Daemon> {
  mkdirSync("/run/containerd", { recursive: true });
  const script = [
    "set -e",
    ...[...OWN_DIRS, state].map((path) => `mount -t tmpfs -o mode=755 node '${path}'`),
    "mount --make-rshared /", // mountPropagation of pods needs shared mounts
    "echo ready",
    "exec sleep infinity",
  ].join("\n");
  const logFile = join(dir, "log/mounts.log");
  const args = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script] as const;
  const holder = Daemon.start("mounts", args, { logFile });
  await until("the node's mounts", async () => {
    if (!holder.running) throw new Error(await holder.lastWords());
    return (await holder.lastWords()).includes("ready");
  });
  return holder;
}

/** Ends every process in a pod's cgroup. */
export async function endPods(): Promise<void> {
  await until("the end of the pods", async () => {
    const pids = podCgroups().flatMap((dir) => readLines(join(dir, "cgroup.procs")).map(Number));
    for (const pid of pids) killNow(pid);
    if (pids.length > 0) await sleep(50);
    return pids.length === 0;
  });
}

/** Takes away what a node leaves on its kernel, of this run or of one that was killed. Its processes have ended. */
function sweepNode(): void {
  for (const dir of podCgroups().toReversed()) {
    try {
      rmdirSync(dir);
    } catch {
      // still being emptied, or another hierarchy's: the comparison of before and after would tell
    }
  }
  for (const name of existsSync("/run/netns") ? readdirSync("/run/netns") : []) {
    // Mounted only in the node's namespace: here it is a plain file.
    if (name.startsWith("cni-")) rmSync(join("/run/netns", name), { force: true });
  }
  if (existsSync("/run/containerd") && readdirSync("/run/containerd").length === 0)
    rmdirSync("/run/containerd");
  // A dead pod's sockets may keep its namespace, and so its link, for minutes: as long as data of theirs is not acknowledged.
  for (const link of readdirSync("/sys/class/net"))
    if (existsSync(`/sys/class/net/cni0/lower_${link}`)) quietly("ip", ["link", "del", link]);
  quietly("ip", ["link", "del", "cni0"]);
  for (const family of ["ip", "ip6"]) quietly("nft", ["delete", "table", family, "kube-proxy"]);
}

/** Directories of pods in every hierarchy, parents first. */
function podCgroups(): readonly string[] {
  const roots = existsSync(join(CGROUPS, "cgroup.controllers"))
    ? [CGROUPS]
    : readdirSync(CGROUPS).map((name) => join(CGROUPS, name));
  const found = roots.map((root) => join(root, "kubepods")).filter((path) => existsSync(path));
  for (const dir of found) {
    for (const entry of readdirSync(dir, { withFileTypes: true }))
      if (entry.isDirectory()) found.push(join(dir, entry.name));
  }
  return found;
}

function readLines(path: string): readonly string[] {
  try {
    return readFileSync(path, "utf8").split("\n").filter(Boolean);
  } catch {
    return [];
  }
}

function quietly(program: string, args: readonly string[]): void {
  spawnSync(program, args, { stdio: "ignore" });
}
