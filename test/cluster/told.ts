import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Cluster, NodePlace } from "../lab/cluster/cluster.ts";
import { until } from "../lab/cluster/until.ts";
import { inNode, READY_MS } from "./node-watch.ts";

const NAME = "kubectl-watch";
/** Bash has the time without a program of its own: one for each line would take the emulated node seconds. */
const SCRIPT = '"$@" | while read -r pod ip; do echo "$EPOCHREALTIME $pod $ip"; done';
const COLUMNS = "custom-columns=POD:.metadata.name,IP:.status.podIPs[0].ip";
const NO_ADDRESS = "<none>";

/**
 * When a program on the emulated node is told of pods' addresses: a kubectl that watches them there. That node shares
 * two processors with the whole cluster; what is late to kubectl is late to whatever runs there.
 */
export class ToldOnNode {
  readonly #place: NodePlace;

  private constructor(place: NodePlace) {
    this.#place = place;
  }

  /** It watches when this returns. */
  static async start({ b: place, bin, kubeconfig }: Cluster): Promise<ToldOnNode> {
    const { runner, file } = place;
    const kubectl = [join(bin, "kubectl"), `--kubeconfig=${kubeconfig}`, "get", "pods", "--watch"];
    const args = ["bash", "-c", SCRIPT, "bash", ...kubectl, "--no-headers", "-o", COLUMNS];
    const [outFile, errFile] = [file(`${NAME}.out`).there, file(`${NAME}.err`).there];
    await runner.start({ name: NAME, args: [...inNode(place), ...args], outFile, errFile });
    const told = new ToldOnNode(place);
    await until("kubectl to list pods on the emulated node", async () => (await told.times()).size > 0, {
      timeoutMs: READY_MS,
    });
    return told;
  }

  async stop(): Promise<void> {
    await this.#place.runner.stop(NAME);
  }

  /** By the pod's name, in Unix ms of the node's clock. */
  async times(): Promise<ReadonlyMap<string, number>> {
    const text = await readFile(this.#place.file(`${NAME}.out`).here, "utf8").catch(() => "");
    const times = new Map<string, number>();
    for (const line of text.split("\n")) {
      const [seconds, pod, ip = NO_ADDRESS] = line.split(" ");
      if (pod !== undefined && ip !== NO_ADDRESS && !times.has(pod)) times.set(pod, Number(seconds) * 1000);
    }
    return times;
  }
}
