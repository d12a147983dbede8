import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../lab/cluster/cluster.ts";
import { hostPort, NODE_A } from "../lab/cluster/plan.ts";
import { judgePodCounters, momentAtRest, type PodMoment } from "./agent-counters.ts";
import { judgeLogs, judgePrintedSpans, judgeRepeats, judgeSpans, judgeSummed } from "./agent-logs.ts";
import {
  judgeBirth,
  judgeCoverage,
  judgeEnd,
  judgeEnds,
  judgeMetricPaths,
  judgeOutage,
  judgeText,
} from "./agent-metrics.ts";
import { AgentNode } from "./agent-node.ts";
import { AgentTelemetry, FEW_RECORDS } from "./agent-telemetry.ts";
import { SPARE_PORT } from "./paths.ts";
import { signalPods } from "./pod-counters.ts";
import type { Check } from "./report.ts";
import type { PathWorkloads } from "./test-paths.ts";
import { createPod, PODS } from "./workloads.ts";

/** A pod that is made while packets are lost. */
const LATE = "late-a";
/** The Collector is away so long in the middle of the loss, and then some times more for a moment. */
const AWAY_MS = 10_000;
const MOMENT_MS = 1_000;
const BEFORE_MS = 4_000;
/** How it ends each of those times: one is a crash, with requests in its hands. */
const FLAPS = ["SIGTERM", "SIGKILL", "SIGTERM"] as const;

/** The agent of each node with all that it exports to, through one run of the cluster. */
export class AgentTest implements AsyncDisposable {
  readonly nodes: readonly AgentNode[];
  readonly checks: Check[] = [];
  readonly #cluster: Cluster;
  readonly #telemetry: AgentTelemetry;
  #baselines: readonly PodMoment[] = [];

  private constructor(cluster: Cluster, telemetry: AgentTelemetry, nodes: readonly AgentNode[]) {
    this.#cluster = cluster;
    this.#telemetry = telemetry;
    this.nodes = nodes;
  }

  /** Starts the agents; both are ready when it returns. */
  static async start(
    cluster: Cluster,
    options: { readonly labDir: string; readonly say: (line: string) => void },
  ): Promise<AgentTest> {
    await using undo = new AsyncDisposableStack();
    const telemetry = undo.use(await AgentTelemetry.start(cluster, options));
    const nodes = await Promise.all(
      [cluster.a, cluster.b].map((place) => AgentNode.start(cluster, place, telemetry.flagsOf(place))),
    );
    undo.move();
    return new AgentTest(cluster, telemetry, nodes);
  }

  /** Before packets are lost: from where on the kernel's counters and the metrics are compared. */
  async begin(): Promise<void> {
    const { prometheus } = this.#telemetry;
    await this.#atRest(async () => {
      this.#baselines = await Promise.all(this.nodes.map((node) => momentAtRest(node, prometheus)));
    });
  }

  /** While packets are lost: the Collector goes away and comes back with other certificates, and a pod is born. */
  async disturb({ pods }: PathWorkloads): Promise<void> {
    await sleep(BEFORE_MS);
    await this.#telemetry.outage("SIGTERM", async () => {
      const target = hostPort(pods["server-b"]?.v4 ?? "", SPARE_PORT);
      await createPod(this.#cluster, LATE, { node: NODE_A, args: [`-connect=late=${target}`] });
      await sleep(AWAY_MS);
    });
    for (const signal of FLAPS) {
      await sleep(MOMENT_MS);
      await this.#telemetry.outage(signal, () => sleep(MOMENT_MS));
    }
  }

  /** When no more packets are lost: what has been counted, on every way. */
  async compare(): Promise<void> {
    const { prometheus } = this.#telemetry;
    await this.#atRest(async () => {
      const ofNodes = await Promise.all(
        this.nodes.map((node, i) => this.#compareNode(node, this.#baselines[i])),
      );
      this.checks.push(...ofNodes.flat(), await judgeMetricPaths(prometheus));
    });
    this.checks.push(...(await judgeBirth(LATE, prometheus)));
  }

  /** When the pods of the paths are gone. */
  async compareEnds(): Promise<void> {
    await this.#cluster.api.delete(`${PODS}/${LATE}`);
    for (const pod of ["client-a", "client-b", LATE])
      this.checks.push(await judgeEnd(pod, this.#telemetry.prometheus));
  }

  /** When the agents have ended. */
  async compareRecords(): Promise<void> {
    for (const node of this.nodes)
      this.checks.push(...judgeLogs(node, this.#telemetry), ...judgeSpans(node, this.#telemetry));
    const few = this.nodes.filter(({ place }) => place.plan === FEW_RECORDS);
    this.checks.push(...few.map((node) => judgeSummed(node, this.#telemetry)));
    this.checks.push(judgeRepeats(this.#telemetry, this.nodes.length));
    this.checks.push(await judgePrintedSpans(this.#telemetry));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#telemetry[Symbol.asyncDispose]();
  }

  async #compareNode(node: AgentNode, since: PodMoment | undefined): Promise<readonly Check[]> {
    const { prometheus } = this.#telemetry;
    if (since === undefined) throw new Error("Cannot compare: there was no beginning");
    return [
      ...(await judgePodCounters(node, prometheus, since)),
      await judgeEnds(node, prometheus),
      ...(node.place.rung === "kprobe" ? await judgeCoverage(node, prometheus) : []),
      await judgeOutage(node, prometheus),
      await judgeText(node, this.#telemetry),
    ];
  }

  async #atRest(step: () => Promise<void>): Promise<void> {
    const signal = async (name: "STOP" | "CONT") => {
      await Promise.all(this.nodes.map(({ place }) => signalPods(place, name)));
    };
    await signal("STOP");
    try {
      await step();
    } finally {
      await signal("CONT");
    }
  }
}
