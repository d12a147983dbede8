import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Cluster, NodePlace } from "../lab/cluster/cluster.ts";
import type { KubeObject } from "../lab/cluster/kube-api.ts";
import { until } from "../lab/cluster/until.ts";
import { run } from "../lab/run.ts";
import { ChartAgent } from "./chart-agent.ts";

/** What is installed, and where. */
export interface ChartOrder {
  /** Path of helm. */
  readonly helm: string;
  /** As `npm run image -- --output` writes it. */
  readonly archive: string;
  /** Nodes that get the image; each of them is to have an agent. */
  readonly places: readonly NodePlace[];
  readonly release?: string;
  /** What `--set` is told, beside the image. */
  readonly set?: Readonly<Record<string, string>>;
}

/** What a command said, in the order in which it said it. */
export interface Said {
  readonly code: number | null;
  readonly text: string;
}

/** Relative, as a user in a clone names it: commands are run there. */
const CHART = "charts/tcpretrans";
const ROOT = join(import.meta.dirname, "../..");
/** Emulated, the start of a pod takes many times as long. */
const PATIENCE_MS = 300_000;

/** The chart as a user has it: put on the nodes of a cluster by helm, and asked by kubectl. */
export class InstalledChart implements AsyncDisposable {
  readonly namespace: string;
  readonly release: string;
  /** Of helm and kubectl. */
  readonly env: NodeJS.ProcessEnv;
  /** Path of kubectl. */
  readonly kubectl: string;
  readonly #cluster: Cluster;
  readonly #order: ChartOrder;
  readonly #image: Readonly<Record<string, string>>;
  #agents: readonly ChartAgent[] = [];
  #notes = "";
  #isInstalled = false;

  private constructor(cluster: Cluster, order: ChartOrder, image: Readonly<Record<string, string>>) {
    this.#cluster = cluster;
    this.#order = order;
    this.#image = image;
    this.release = order.release ?? "tcpretrans";
    this.namespace = this.release;
    const home = join(cluster.dir, "helm");
    const path = `${cluster.bin}:${process.env["PATH"]}`;
    this.env = { PATH: path, HOME: home, KUBECONFIG: cluster.adminKubeconfig };
    this.kubectl = join(cluster.bin, "kubectl");
  }

  /** Brings the image to the nodes and installs the chart; `awaitReady` waits for its pods. */
  static async install(cluster: Cluster, order: ChartOrder): Promise<InstalledChart> {
    const [, image] = await Promise.all([
      Promise.all(order.places.map((place) => importImage(place, order.archive))),
      readImageValues(order.archive),
    ]);
    const chart = new InstalledChart(cluster, order, image);
    await mkdir(join(cluster.dir, "helm"), { recursive: true });
    chart.#isInstalled = true;
    const args = ["install", chart.release, CHART, "--create-namespace", ...chart.#set(order.set)];
    chart.#notes = await chart.helm(args);
    return chart;
  }

  /** Name of the image, as it is on the nodes. */
  get image(): string {
    return `${this.#image["image.repository"]}:${this.#image["image.tag"]}`;
  }

  /** What `helm install` said. */
  get notes(): string {
    return this.#notes;
  }

  /** The agents, one of each node; `awaitReady` finds them. */
  get agents(): readonly ChartAgent[] {
    return this.#agents;
  }

  /** Waits until each node has one agent, which is ready, and no other. */
  async awaitReady(): Promise<readonly ChartAgent[]> {
    const { api } = this.#cluster;
    const pods = await until(
      "the chart's pods",
      async () => {
        const found = await this.#pods();
        const isWhole = found.length === this.#order.places.length && found.every(isReady);
        if (!isWhole) throw new Error(found.map(describePod).join("; "));
        return found;
      },
      { timeoutMs: PATIENCE_MS, everyMs: 300 },
    ).catch(async (error: Error) => {
      throw new Error(`${error.message}\n${await this.#lastWords()}`, { cause: error });
    });
    this.#agents = this.#order.places.map((place) => {
      const pod = pods.find(({ spec }) => spec.nodeName === place.plan.name);
      if (pod === undefined) throw new Error(`Cannot find the agent of ${place.plan.name}`);
      return new ChartAgent(api, { place, pod });
    });
    return this.#agents;
  }

  /** `helm upgrade` with other values in place of those of the installation. */
  async upgrade(set: Readonly<Record<string, string>>): Promise<string> {
    return this.helm(["upgrade", this.release, CHART, ...this.#set(set)]);
  }

  /** `helm uninstall`; gives what it said. */
  async uninstall(): Promise<string> {
    this.#isInstalled = false;
    return this.helm(["uninstall", this.release, "--timeout", "300s"]);
  }

  /** Runs helm in the release's namespace; a failure throws. */
  helm(args: readonly string[]): Promise<string> {
    return run(this.#order.helm, [...args, "-n", this.namespace], { env: this.env, cwd: ROOT });
  }

  /** Runs a line as it stands in NOTES or a document, with helm and kubectl on the path. */
  async shell(line: string): Promise<Said> {
    const helm = `helm() { '${this.#order.helm}' "$@"; }`;
    const child = spawn("sh", ["-c", `${helm}\n${line}`], { env: this.env, cwd: ROOT });
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (part: string) => (text += part));
    const { promise, resolve, reject } = Promise.withResolvers<number | null>();
    child.on("error", reject).on("close", resolve);
    return { code: await promise, text };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isInstalled) await this.uninstall().catch(() => {});
  }

  #set(own: Readonly<Record<string, string>> = {}): readonly string[] {
    return Object.entries({ ...this.#image, ...own }).map(([key, value]) => `--set=${key}=${value}`);
  }

  async #pods(): Promise<readonly KubeObject[]> {
    const selector = `app.kubernetes.io/instance=${this.release},app.kubernetes.io/component=agent`;
    return this.#cluster.api.list(
      `/api/v1/namespaces/${this.namespace}/pods?labelSelector=${encodeURIComponent(selector)}`,
    );
  }

  /** What the pods' status and logs say, for a complaint. */
  async #lastWords(): Promise<string> {
    const logs = (await this.#pods()).map(async (pod) => {
      const { name } = pod.metadata;
      const path = `/api/v1/namespaces/${this.namespace}/pods/${name}/log?tailLines=20`;
      const log = await this.#cluster.api.read(path).catch((error: Error) => error.message);
      return `${name}: ${JSON.stringify(pod.status.containerStatuses)}\n${log}`;
    });
    return (await Promise.all(logs)).join("\n");
  }
}

/** Brings an image to a node, as a pull from a registry would. */
async function importImage({ runner, ctr }: NodePlace, archive: string): Promise<void> {
  await runner.exec([...ctr, "image", "import", archive]);
}

/** Values by which the chart takes the image of an archive. */
async function readImageValues(archive: string): Promise<Readonly<Record<string, string>>> {
  const [manifest] = JSON.parse(await run("tar", ["-xOf", archive, "manifest.json"]));
  const [name = ""]: readonly string[] = manifest.RepoTags;
  const colon = name.lastIndexOf(":");
  return {
    "image.repository": name.slice(0, colon),
    "image.tag": name.slice(colon + 1),
    "image.pullPolicy": "Never",
  };
}

function isReady({ metadata, status }: KubeObject): boolean {
  const conditions: readonly { type: string; status: string }[] = status.conditions ?? [];
  const isUp = conditions.some(({ type, status: is }) => type === "Ready" && is === "True");
  return isUp && metadata.deletionTimestamp === undefined;
}

function describePod({ metadata, spec, status }: KubeObject): string {
  return `${metadata.name} on ${spec.nodeName} is ${status.phase}`;
}
