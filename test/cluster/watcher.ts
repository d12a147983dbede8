import { readFileSync } from "node:fs";
import type { Cluster, NodePlace } from "../lab/cluster/cluster.ts";
import { until } from "../lab/cluster/until.ts";
import { TCPRETRANS } from "../support/program.ts";
import { type NamedLine, NamedLines } from "./named-line.ts";
import { LinesWithNames } from "./names-come.ts";
import { inNode, type NodeWatch, namingFlags, READY_MS } from "./node-watch.ts";

/** A `tcpretrans --kubernetes --json` that watches a node. */
export class Watcher implements NodeWatch {
  readonly place: NodePlace;
  readonly pid: number;
  readonly #name: string;
  readonly #lines: NamedLines;
  readonly #named = new LinesWithNames(() => this.allLines());

  private constructor(place: NodePlace, name: string, pid: number) {
    this.place = place;
    this.#name = name;
    this.#lines = new NamedLines(place.file(`${name}.out`).here);
    this.pid = pid;
  }

  /** Starts it and waits until its probes are in place. */
  static async start(
    cluster: Cluster,
    place: NodePlace,
    { name = "tcpretrans", user = "tcpretrans" }: { readonly name?: string; readonly user?: string } = {},
  ): Promise<Watcher> {
    const { plan, runner, rung, file } = place;
    const naming = namingFlags(place, cluster.kubeconfigOf(user));
    const flags = ["--json", `--probe=${rung}`, "--kubernetes", ...naming];
    const pid = await runner.start({
      name,
      args: [...inNode(place), TCPRETRANS, ...flags],
      outFile: file(`${name}.out`).there,
      errFile: file(`${name}.err`).there,
      env: { TCPRETRANS_NODE: process.execPath },
    });
    const watcher = new Watcher(place, name, pid);
    await until(`${name} on ${plan.name}`, () => watcher.messages().includes("Tracing TCP retransmits"), {
      timeoutMs: READY_MS,
      everyMs: 300,
    }).catch((error: unknown) => {
      throw new Error(`Cannot watch ${plan.name}: ${watcher.messages()}`, { cause: error });
    });
    return watcher;
  }

  awaitNames(isNamed?: (line: NamedLine) => boolean): Promise<number> {
    return this.#named.await(this.place.plan.name, isNamed);
  }

  /** Ends it as ^C does. */
  async stop(): Promise<void> {
    await this.place.runner.stop(this.#name, "SIGINT");
  }

  lines(): readonly NamedLine[] {
    return this.#named.lines;
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
    return this.#lines.all;
  }
}
