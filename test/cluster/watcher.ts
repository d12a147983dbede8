import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Cluster, NodePlace } from "../lab/cluster/cluster.ts";
import { CLUSTER_RANGE, LINK_RANGE, NESTED_LINK } from "../lab/cluster/plan.ts";
import { until } from "../lab/cluster/until.ts";
import { type NamedLine, readNamedLines } from "./named-line.ts";

const PROGRAM = join(import.meta.dirname, "../../bin/tcpretrans");
/** Emulated, its start takes many times as long. */
const READY_MS = 300_000;
const NAMES_MS = 300_000;
/** An event may have waited so long for its name, and have given up just before. */
const WAITED_MS = 2_500;

/** A `tcpretrans --kubernetes --json` that watches a node. */
export class Watcher {
  readonly place: NodePlace;
  readonly #name: string;
  #namesFrom = 0;

  private constructor(place: NodePlace, name: string) {
    this.place = place;
    this.#name = name;
  }

  /** Starts it and waits until its probes are in place. */
  static async start(cluster: Cluster, place: NodePlace, name = "tcpretrans"): Promise<Watcher> {
    const { plan, runner, entry, rung, file } = place;
    const watcher = new Watcher(place, name);
    const ranges = [LINK_RANGE, NESTED_LINK.range, CLUSTER_RANGE].flatMap(({ v4, v6 }) => [v4, v6]);
    const flags = [
      "--json",
      `--probe=${rung}`,
      "--kubernetes",
      `--kubeconfig=${cluster.kubeconfig}`,
      `--node-name=${plan.name}`,
      ...ranges.map((range) => `--cluster-cidr=${range}`),
    ];
    await runner.start({
      name,
      // Emulated, a node's own programs leave too little of its processors; on a real one this is not the question.
      args: [...entry, "nice", "-n", rung === "kprobe" ? "-19" : "0", PROGRAM, ...flags],
      outFile: file(`${name}.out`).there,
      errFile: file(`${name}.err`).there,
      env: { TCPRETRANS_NODE: process.execPath },
    });
    await until(`${name} on ${plan.name}`, () => watcher.messages().includes("Tracing TCP retransmits"), {
      timeoutMs: READY_MS,
      everyMs: 300,
    }).catch((error: unknown) => {
      throw new Error(`Cannot watch ${plan.name}: ${watcher.messages()}`, { cause: error });
    });
    return watcher;
  }

  /**
   * Waits, while events come, until it names what only complete lists tell: what it says before that is not judged. By
   * default a pod that only pods, nodes and EndpointSlices together tell. Gives the seconds that it took from now.
   */
  async awaitNames(
    isNamed: (line: NamedLine) => boolean = ({ source, destination }) =>
      source.kind === "pod" && destination.method === "endpointslice",
  ): Promise<number> {
    const started = Date.now();
    const { time } = await until(`names on ${this.place.plan.name}`, () => this.allLines().find(isNamed), {
      timeoutMs: NAMES_MS,
      everyMs: 500,
    });
    this.#namesFrom = time + WAITED_MS;
    return Math.max(0, (time - started) / 1000);
  }

  /** Ends it as ^C does. */
  async stop(): Promise<void> {
    await this.place.runner.stop(this.#name, "SIGINT");
  }

  /** What it said since it had names. */
  lines(): readonly NamedLine[] {
    return this.allLines().filter(({ time }) => time >= this.#namesFrom);
  }

  messages(): string {
    try {
      return readFileSync(this.place.file(`${this.#name}.err`).here, "utf8");
    } catch {
      return "";
    }
  }

  /** All that it said. */
  allLines(): readonly NamedLine[] {
    return readNamedLines(this.place.file(`${this.#name}.out`).here);
  }
}
