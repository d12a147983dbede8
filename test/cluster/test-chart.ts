import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../lab/cluster/cluster.ts";
import { goProgram } from "../lab/cluster/go-tools.ts";
import { judgePodCounters, momentAtRest, type PodMoment } from "./agent-counters.ts";
import { judgeLogs } from "./agent-logs.ts";
import { judgeCoverage, judgeEnds, judgeText } from "./agent-metrics.ts";
import type { ChartAgent } from "./chart-agent.ts";
import { judgeDemo } from "./chart-demo.ts";
import { judgeFirstLook } from "./chart-first-look.ts";
import { judgeNames } from "./chart-logs.ts";
import { judgeNotes } from "./chart-notes.ts";
import { judgePanels, judgeReadmeQueries } from "./chart-queries.ts";
import { judgeRemoval, readTraces } from "./chart-removal.ts";
import { ChartTelemetry } from "./chart-telemetry.ts";
import { writeTranscript } from "./chart-transcript.ts";
import { InstalledChart } from "./installed-chart.ts";
import { atRest } from "./pod-counters.ts";
import type { Check } from "./report.ts";
import { closeShop, endShopLoss, openShop, startShopLoss } from "./shop.ts";
import type { TrafficLog } from "./traffic-log.ts";

export interface ChartTestOptions {
  readonly labDir: string;
  /** As `npm run image -- --output` writes it. */
  readonly archive: string;
  readonly say: (line: string) => void;
}

const LOSS_MS = 30_000;
/** The kernels' last timers and the agents' last ticks, emulated. */
const SETTLE_MS = 4_000;

/** Installs the chart on both nodes as a user does, loses packets of workloads, and holds all that comes out against the kernels. */
export async function testChart(
  cluster: Cluster,
  log: TrafficLog,
  { labDir, archive, say }: ChartTestOptions,
): Promise<readonly Check[]> {
  await using telemetry = await ChartTelemetry.start(cluster, labDir, say);
  const { prometheus, endpoint } = telemetry;
  const helm = await goProgram(labDir, "helm3", say);
  const before = await readTraces([cluster.a, cluster.b]);
  const installing = installChart(cluster, { helm, archive, endpoint });
  const [chart] = await Promise.all([installing, openShop(cluster, log)]);
  await using _ = chart;
  const agents = await chart.awaitReady();
  say("the chart's agents are ready");
  const places = agents.map(({ place }) => place);
  // Not beside a command of NOTES that traces: the container's memory is for one of them.
  const looking = Promise.all(places.map((place) => judgeFirstLook(chart, place)));
  const since = await atRest(places, () =>
    Promise.all(agents.map((agent) => momentAtRest(agent, prometheus))),
  );
  const looked = await looking;
  await startShopLoss();
  const [notes] = await Promise.all([judgeNotes(chart), sleep(LOSS_MS)]);
  await endShopLoss();
  say("the commands of NOTES have run");
  await sleep(SETTLE_MS);
  const checks = await atRest(places, async () => [
    ...(await Promise.all(agents.map((agent, i) => judgeAgent(agent, telemetry, since[i])))).flat(),
    ...(await judgeReadmeQueries(prometheus)),
    ...(await judgePanels(prometheus)),
  ]);
  const transcript = join(cluster.dir, "chart-transcript.txt");
  await writeTranscript(transcript, chart, { answers: notes.answers, telemetry });
  say("what the agents exported has been judged");
  // Emulated, a node is cleaned in half a minute. The other agent on node-a must not mind.
  await startShopLoss();
  const [, demo] = await Promise.all([chart.uninstall(), judgeDemo(cluster, { labDir, archive, say })]);
  await endShopLoss();
  await closeShop(cluster);
  return [...notes.checks, ...looked.flat(), ...checks, ...demo, ...(await judgeRemoval(chart, before))];
}

function installChart(
  cluster: Cluster,
  { helm, archive, endpoint }: { readonly helm: string; readonly archive: string; readonly endpoint: string },
): Promise<InstalledChart> {
  const set = {
    "collector.endpoint": endpoint,
    "config.resource.clusterName": "lab",
    "config.metrics.intervalSeconds": "2",
    // What its signals are compared with.
    "config.events.output": "json",
  };
  return InstalledChart.install(cluster, { helm, archive, places: [cluster.a, cluster.b], set });
}

async function judgeAgent(
  agent: ChartAgent,
  telemetry: ChartTelemetry,
  since: PodMoment | undefined,
): Promise<readonly Check[]> {
  const { prometheus } = telemetry;
  if (since === undefined) throw new Error("Cannot compare: there was no beginning");
  const counters = await judgePodCounters(agent, prometheus, since);
  await agent.readLog();
  return [
    judgeRung(agent),
    ...counters,
    await judgeEnds(agent, prometheus),
    ...(agent.place.rung === "kprobe" ? await judgeCoverage(agent, prometheus) : []),
    ...judgeLogs(agent, telemetry),
    ...judgeNames(agent, telemetry),
    await judgeText(agent, telemetry),
  ];
}

/** The rung that the node's kernel can have, by each event. */
function judgeRung(agent: ChartAgent): Check {
  const { rung } = agent.place;
  const found = [...new Set(agent.events().map((event) => event["probe.rung"]))].join(" ");
  return {
    subject: "the pod's rung",
    column: rung,
    problem: found === rung ? undefined : found,
    shown: found,
  };
}
