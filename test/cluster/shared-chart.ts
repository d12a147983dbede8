import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../lab/cluster/cluster.ts";
import { goProgram } from "../lab/cluster/go-tools.ts";
import { judgePodCounters, momentAtRest, type PodMoment } from "./agent-counters.ts";
import { judgeCoverage } from "./agent-metrics.ts";
import type { ChartAgent } from "./chart-agent.ts";
import { ChartTelemetry } from "./chart-telemetry.ts";
import { InstalledChart } from "./installed-chart.ts";
import { leftOn, readRemains } from "./node-remains.ts";
import { atRest } from "./pod-counters.ts";
import type { Check } from "./report.ts";
import { judgeShared, readShared } from "./shared-events.ts";
import type { ChartTestOptions } from "./test-chart.ts";
import type { TrafficLog } from "./traffic-log.ts";
import { closeTwins, endTwinLoss, openTwins, type SharedKernel, startTwinLoss } from "./twins.ts";

const LOSS_MS = 20_000;
/** The kernels' last timers and the agents' last ticks, emulated. */
const SETTLE_MS = 4_000;

/** Of the nodes that get an agent: the machine below nodes of kind has none either. */
const LABEL = { key: "tcpretrans.test/agent", value: "shared" } as const;

/**
 * The chart on two nodes in the virtual machine, as kind has them, and on node-a with two more on its kernel: of the agents of a kernel,
 * whose probes all fire, one tells each event, by cgroup and namespace or by addresses alone; removed, they leave nothing.
 */
export async function testSharedChart(
  cluster: Cluster,
  log: TrafficLog,
  { labDir, archive, say }: ChartTestOptions,
): Promise<readonly Check[]> {
  const kernels = await startKernels(cluster);
  say("shared-chart: the nodes are ready");
  const places = kernels.flatMap((kernel) => kernel.places);
  const metadata = { labels: { [LABEL.key]: LABEL.value } };
  for (const { plan } of places) await cluster.api.patch(`/api/v1/nodes/${plan.name}`, { metadata });
  const before = await Promise.all(places.map(readRemains));
  await using telemetry = await ChartTelemetry.start(cluster, labDir, say);
  const { prometheus, endpoint } = telemetry;
  const helm = await goProgram(labDir, "helm3", say);
  const set = {
    "collector.endpoint": endpoint,
    "config.metrics.intervalSeconds": "4",
    // Emulated, beside two kubelets, a start may take more than two minutes.
    "startupProbe.failureThreshold": "150",
    [`nodeSelector.${LABEL.key.replace(".", "\\.")}`]: LABEL.value,
  };
  const installing = InstalledChart.install(cluster, { helm, archive, places, set });
  const [chart, twins] = await Promise.all([installing, openTwins(cluster, log, kernels)]);
  await using _ = chart;
  const agents = await chart.awaitReady();
  say("shared-chart: the agents are ready");
  const telling = { telemetry, agents, kernels, twins };
  const since = await atRest(places, async () => ({
    pods: await Promise.all(agents.map((agent) => momentAtRest(agent, prometheus))),
    shared: await readShared(telling),
  }));
  await startTwinLoss(kernels);
  await sleep(LOSS_MS);
  await endTwinLoss(kernels);
  await sleep(SETTLE_MS);
  const checks = await atRest(places, async () => [
    ...(await Promise.all(agents.map((agent, i) => judgeAgent(agent, telemetry, since.pods[i])))).flat(),
    ...(await judgeShared(telling, since.shared)),
  ]);
  say("shared-chart: what the agents told has been judged");
  await closeTwins(cluster, kernels);
  await chart.uninstall();
  const left = places.map(async (place, i): Promise<Check> => {
    const had = before[i];
    if (had === undefined) throw new Error("Cannot compare: there was no beginning");
    const subject = `helm uninstall leaves no probe, instance, mount or file of ours on ${place.plan.name}`;
    return { subject, column: place.rung, problem: await leftOn(place, had) };
  });
  return [...checks, ...(await Promise.all(left))];
}

/** Both kernels with the nodes that share them. */
async function startKernels(cluster: Cluster): Promise<readonly SharedKernel[]> {
  const [siblings, nested] = await Promise.all([cluster.startSiblings(), cluster.startNested()]);
  const [here1, here2] = siblings;
  const [there1, there2] = nested;
  if (here1 === undefined || here2 === undefined || there1 === undefined || there2 === undefined)
    throw new Error("Cannot share a kernel: there are not two nodes beside its own");
  return [
    { places: [cluster.a, here1, here2], ports: { low: 20_124, high: 20_125 } },
    { places: [there1, there2], ports: { low: 20_126, high: 20_127 } },
  ];
}

async function judgeAgent(
  agent: ChartAgent,
  { prometheus }: ChartTelemetry,
  since: PodMoment | undefined,
): Promise<readonly Check[]> {
  if (since === undefined) throw new Error("Cannot compare: there was no beginning");
  return [
    ...(await judgePodCounters(agent, prometheus, since)),
    ...(agent.place.rung === "kprobe" ? await judgeCoverage(agent, prometheus) : []),
  ];
}
