import { setTimeout as sleep } from "node:timers/promises";
import type { Received } from "../export/otlp/decode-otlp.ts";
import type { Cluster, NodePlace } from "../lab/cluster/cluster.ts";
import { goProgram } from "../lab/cluster/go-tools.ts";
import { endLossOnNode, loseOnNode } from "../lab/cluster/loss.ts";
import { hostPort } from "../lab/cluster/plan.ts";
import type { ProgramRunner } from "../lab/cluster/program-runner.ts";
import { until } from "../lab/cluster/until.ts";
import type { Prometheus } from "../lab/telemetry/prometheus.ts";
import { judgePodCounters, momentAtRest, type PodMoment } from "./agent-counters.ts";
import type { ChartAgent } from "./chart-agent.ts";
import { ChartTelemetry } from "./chart-telemetry.ts";
import { InstalledChart } from "./installed-chart.ts";
import { atRest } from "./pod-counters.ts";
import type { Check } from "./report.ts";
import type { ChartTestOptions } from "./test-chart.ts";
import type { TrafficLog } from "./traffic-log.ts";
import { createPod, createService, PODS, runningPod } from "./workloads.ts";

const LABEL = { key: "tcpretrans.test/shares", value: "node-a" } as const;
const PORTS = { low: 20_124, high: 20_125 };
const CALLER = "twin-caller";
const CALLEE = "twin-callee";
const LOSS_PERCENT = 20;
const LOSS_MS = 20_000;
const SETTLE_MS = 4_000;
const PATIENCE_MS = 60_000;

/**
 * The chart on node-a and on two more nodes of its kernel, as kind has them: three agents whose probes all fire, and each pod's
 * segments are its kernel's, counted by one of them.
 */
export async function testSharedChart(
  cluster: Cluster,
  log: TrafficLog,
  { labDir, archive, say }: ChartTestOptions,
): Promise<readonly Check[]> {
  const siblings = await cluster.startSiblings();
  const places = [cluster.a, ...siblings];
  for (const { plan } of places)
    await cluster.api.patch(`/api/v1/nodes/${plan.name}`, {
      metadata: { labels: { [LABEL.key]: LABEL.value } },
    });
  await using telemetry = await ChartTelemetry.start(cluster, labDir, say);
  const { prometheus, endpoint, sink } = telemetry;
  const helm = await goProgram(labDir, "helm3", say);
  const installing = InstalledChart.install(cluster, {
    ...{ helm, archive, places },
    set: {
      "collector.endpoint": endpoint,
      "config.metrics.intervalSeconds": "2",
      [`nodeSelector.${LABEL.key.replace(".", "\\.")}`]: LABEL.value,
    },
  });
  const [chart] = await Promise.all([installing, openTwins(cluster, log, siblings)]);
  await using _ = chart;
  const agents = (await chart.awaitReady()).filter(({ place }) => place !== cluster.a);
  const moments = () => Promise.all(agents.map((agent) => momentAtRest(agent, prometheus)));
  const since = await atRest(siblings, moments);
  for (const place of siblings) await loseOnNode(onNode(place), LOSS_PERCENT, PORTS);
  await sleep(LOSS_MS);
  for (const place of siblings) await endLossOnNode(onNode(place));
  await sleep(SETTLE_MS);
  const checks = await atRest(siblings, () => judgeAgents(agents, prometheus, since));
  for (const name of [CALLER, CALLEE]) await cluster.api.delete(`${PODS}/${name}`);
  return [...checks, judgeRecords(sink.logs)];
}

/** A pod on each of the two nodes; the one calls the other by its Service, and the connections are open when it returns. */
async function openTwins(cluster: Cluster, log: TrafficLog, [from, to]: readonly NodePlace[]): Promise<void> {
  if (from === undefined || to === undefined) throw new Error("Cannot compare nodes: there are not two");
  const { low, high } = PORTS;
  const labels = { app: CALLEE };
  await createPod(cluster, CALLEE, { node: to.plan, labels, args: [`-listen=${low}-${high}`] });
  const ports = [{ port: low }, { port: high }];
  const { v4, v6 } = await createService(cluster, CALLEE, { app: CALLEE, ports });
  const targets = { "twin-4": hostPort(v4, low), "twin-6": hostPort(v6, high) };
  const connect = Object.entries(targets).map(([label, target]) => `${label}=${target}`);
  await createPod(cluster, CALLER, { node: from.plan, args: [`-connect=${connect.join(",")}`] });
  await runningPod(cluster, CALLER);
  const isOpen = () => {
    const open = new Set(log.connections("open").map(({ label }) => label));
    return Object.keys(targets).every((label) => open.has(label));
  };
  await until("the twins' connections", isOpen, { timeoutMs: PATIENCE_MS });
}

/** Each pod's segments are its kernel's on its own node, and no other node has any of them. */
async function judgeAgents(
  agents: readonly ChartAgent[],
  prometheus: Prometheus,
  since: readonly PodMoment[],
): Promise<readonly Check[]> {
  const own = agents.map(async (agent, i) => {
    const moment = since[i];
    if (moment === undefined) throw new Error("Cannot compare: there was no beginning");
    return judgePodCounters(agent, prometheus, moment);
  });
  const checks = (await Promise.all(own)).flat();
  const by = "source_k8s_pod_name, k8s_node_name";
  const counts = await prometheus.query(
    `sum by (${by}) (tcp_retransmit_segments_total{source_k8s_pod_name=~"twin-.*"})`,
  );
  const nodes = new Map([CALLER, CALLEE].map((pod, i) => [pod, agents[i]?.place.plan.name]));
  const foreign = counts.filter(
    ({ labels }) => labels["k8s_node_name"] !== nodes.get(labels["source_k8s_pod_name"] ?? ""),
  );
  const problem = foreign.map(({ labels, value }) => `${value} of ${JSON.stringify(labels)}`).join("; ");
  const shown = `${counts.length - foreign.length} pods on their own node`;
  const isRight = counts.length > 1 && foreign.length === 0;
  const subject = "agents of nodes that share a kernel count no other node's pods";
  return [
    ...checks,
    { subject, column: "tracepoint", problem: isRight ? undefined : problem || shown, shown },
  ];
}

/** No event of the twins has been sent by two agents. */
function judgeRecords(logs: readonly Received[]): Check {
  const own = logs.filter(({ attributes }) => String(attributes["source.k8s.pod.name"]).startsWith("twin-"));
  const times = Map.groupBy(own, ({ times }) => String(times[0]));
  const twice = [...times.values()].filter(
    (records) => new Set(records.map(({ resource }) => resource["host.name"])).size > 1,
  );
  const shown = `${own.length} records, ${twice.length} from two nodes`;
  const problem = own.length > 0 && twice.length === 0 ? undefined : shown;
  return { subject: "each event is sent by one of them", column: "tracepoint", problem, shown };
}

/** Runs programs as the node's own. */
function onNode({ runner, entry }: NodePlace): Pick<ProgramRunner, "exec"> {
  return { exec: (args) => runner.exec([...entry, ...args]) };
}
