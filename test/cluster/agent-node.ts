import { readFileSync } from "node:fs";
import type { Cluster, NodePlace } from "../lab/cluster/cluster.ts";
import { hostPort } from "../lab/cluster/plan.ts";
import { until } from "../lab/cluster/until.ts";
import { TCPRETRANS } from "../support/program.ts";
import { isEventLine, type NamedLine, NamedLines } from "./named-line.ts";
import { LinesWithNames } from "./names-come.ts";
import { inNode, type NodeWatch, namingFlags, READY_MS } from "./node-watch.ts";

/** The agent's own port on each node. */
export const AGENT_PORT = 9464;
const NAME = "tcpretrans-agent";

/** An agent whose signals are held against the kernel's counters and against its own events, wherever it runs. */
export interface JudgedAgent {
  readonly place: NodePlace;
  /** Every event that it printed, as it stands on its output. */
  events(): readonly Readonly<Record<string, unknown>>[];
  /** Its metrics as text 0.0.4. */
  metricsText(): Promise<string>;
}

/** A `tcpretrans agent` on a node; it prints the events too, which is what its signals are compared with. */
export class AgentNode implements NodeWatch, JudgedAgent {
  readonly place: NodePlace;
  readonly pid: number;
  readonly #lines: NamedLines;
  readonly #named = new LinesWithNames(() => this.#lines.all);

  private constructor(place: NodePlace, pid: number) {
    this.place = place;
    this.pid = pid;
    this.#lines = new NamedLines(this.#outFile);
  }

  /** Starts it with more flags, and waits until it says that it is ready: probes in place, names known. */
  static async start(cluster: Cluster, place: NodePlace, flags: readonly string[]): Promise<AgentNode> {
    const { plan, runner, rung, file } = place;
    const own = [
      ...["agent", "--events=json", "--log-format=json", `--probe=${rung}`],
      ...[`--http-host=${plan.address.v4}`, `--http-port=${AGENT_PORT}`],
    ];
    const pid = await runner.start({
      name: NAME,
      args: [...inNode(place), TCPRETRANS, ...own, ...namingFlags(place, cluster.kubeconfig), ...flags],
      outFile: file(`${NAME}.out`).there,
      errFile: file(`${NAME}.err`).there,
      env: { TCPRETRANS_NODE: process.execPath },
    });
    const agent = new AgentNode(place, pid);
    const isReady = async () => (await fetch(`http://${agent.address}/readyz`)).ok;
    await until(`the agent on ${plan.name}`, isReady, { timeoutMs: READY_MS, everyMs: 300 }).catch(
      (error: unknown) => {
        throw new Error(`Cannot start the agent on ${plan.name}: ${agent.messages()}`, { cause: error });
      },
    );
    return agent;
  }

  /** `host:port` of its metrics. */
  get address(): string {
    return hostPort(this.place.plan.address.v4, AGENT_PORT);
  }

  awaitNames(): Promise<number> {
    return this.#named.await(this.place.plan.name);
  }

  lines(): readonly NamedLine[] {
    return this.#named.lines;
  }

  /** Every event that it printed, as it stands on its output. */
  events(): readonly Readonly<Record<string, unknown>>[] {
    return this.#output.filter(isEventLine).map((line) => JSON.parse(line));
  }

  /** What it logged, and what it printed outside its log. */
  messages(): string {
    const logged = this.#output.filter((line) => !isEventLine(line)).join("\n");
    return `${logged}\n${readText(this.place.file(`${NAME}.err`).here)}`;
  }

  /** Its metrics as text 0.0.4. */
  async metricsText(): Promise<string> {
    return (await fetch(`http://${this.address}/metrics`)).text();
  }

  /** Ends it as kubelet does. */
  async stop(): Promise<void> {
    await this.place.runner.stop(NAME, "SIGTERM");
  }

  get #outFile(): string {
    return this.place.file(`${NAME}.out`).here;
  }

  /** Whole lines only. */
  get #output(): readonly string[] {
    return readText(this.#outFile).split("\n").slice(0, -1);
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
