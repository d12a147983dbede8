import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster, NodePlace } from "../lab/cluster/cluster.ts";
import { endLossOnNode, loseOnNode } from "../lab/cluster/loss.ts";
import { hostPort, type NodePlan } from "../lab/cluster/plan.ts";
import type { ProgramRunner } from "../lab/cluster/program-runner.ts";
import { until } from "../lab/cluster/until.ts";
import type { NamedLine } from "./named-line.ts";
import type { Check } from "./report.ts";
import type { TrafficLog } from "./traffic-log.ts";
import { Watcher } from "./watcher.ts";
import { createPod, podAddresses, runningPod } from "./workloads.ts";

const PORTS = { low: 20_120, high: 20_121 };
const LOSS_PERCENT = 20;
const LOSS_MS = 25_000;
const SETTLE_MS = 4_000;
const FEWEST_EVENTS = 10;

/**
 * Two nodes on one kernel, each with its own tcpretrans: every probe fires in both, and each event is shown by the
 * node whose pod it is, once.
 */
export async function testSharedKernel(cluster: Cluster, log: TrafficLog): Promise<readonly Check[]> {
  const places = await cluster.startNested();
  const [client, server] = places;
  if (client === undefined || server === undefined)
    throw new Error("Cannot compare nodes: there are not two");
  const watching = places.map((place) => Watcher.start(cluster, place, `tcpretrans-${place.plan.name}`));
  await createPod(cluster, podOn(server.plan), {
    node: server.plan,
    args: [`-listen=${PORTS.low}-${PORTS.high}`],
  });
  const { v4, v6 } = podAddresses(await runningPod(cluster, podOn(server.plan)));
  const connect = `-connect=shared4=${hostPort(v4, PORTS.low)},shared6=${hostPort(v6, PORTS.high)}`;
  await createPod(cluster, podOn(client.plan), { node: client.plan, args: [connect] });
  const opened = () => log.connections("open").filter(({ label }) => label?.startsWith("shared"));
  await until("the connections between nodes on one kernel", () => opened().length >= 2, {
    timeoutMs: 120_000,
  });
  const watchers = await Promise.all(watching);
  for (const place of places) await loseOnNode(onNode(place), LOSS_PERCENT, PORTS);
  await sleep(LOSS_MS);
  for (const place of places) await endLossOnNode(onNode(place));
  await sleep(SETTLE_MS);
  for (const watcher of watchers) await watcher.stop();
  return watchers.map((watcher) => judge(watcher));
}

/** Only events of this node's pod, rightly named. */
function judge(watcher: Watcher): Check {
  const { plan } = watcher.place;
  const lines = watcher.lines().filter(isOurs);
  const own = lines.filter(({ source }) => source.pod === podOn(plan));
  const foreign = lines.length - own.length;
  const kinds = [
    ...new Set(lines.filter(({ source }) => source.pod !== podOn(plan)).map(({ source }) => source.name)),
  ];
  const shown = `${own.length} of its own, ${foreign} of the other's${kinds.length > 0 ? ` (${kinds})` : ""}`;
  const problem = own.length < FEWEST_EVENTS || foreign > 0 ? `${shown}: ${watcher.messages()}` : undefined;
  return { subject: `two nodes on one kernel, ${plan.name}`, column: "kprobe", problem, shown };
}

function isOurs({ local, peer }: NamedLine): boolean {
  return [local, peer].some((end) => {
    const port = Number(end.slice(end.lastIndexOf(":") + 1));
    return port >= PORTS.low && port <= PORTS.high;
  });
}

function podOn({ name }: NodePlan): string {
  return `shared-${name}`;
}

/** Runs programs as the node's own. */
function onNode({ runner, entry }: NodePlace): Pick<ProgramRunner, "exec"> {
  return { exec: (args) => runner.exec([...entry, ...args]) };
}
