import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster, NodePlace } from "../lab/cluster/cluster.ts";
import { endLossOnNode, loseOnNode } from "../lab/cluster/loss.ts";
import { type DualStack, hostPort, type NodePlan } from "../lab/cluster/plan.ts";
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
const SLOW_MS = 300_000;
/** By cgroup and namespace, and by the address alone. */
const RUNGS = ["kprobe", "tracepoint"] as const;

/**
 * Two nodes on one kernel, each with its own tcpretrans on either rung: every probe fires in all, and each event is
 * shown by the node whose pod it is, once.
 */
export async function testSharedKernel(cluster: Cluster, log: TrafficLog): Promise<readonly Check[]> {
  const places = await cluster.startNested();
  const [client, server] = places;
  if (client === undefined || server === undefined)
    throw new Error("Cannot compare nodes: there are not two");
  await createPod(cluster, podOn(server.plan), {
    node: server.plan,
    args: [`-listen=${PORTS.low}-${PORTS.high}`],
  });
  const served = podAddresses(await runningPod(cluster, podOn(server.plan)));
  const connect = `-connect=shared4=${hostPort(served.v4, PORTS.low)},shared6=${hostPort(served.v6, PORTS.high)}`;
  await createPod(cluster, podOn(client.plan), { node: client.plan, args: [connect] });
  const calling = podAddresses(await runningPod(cluster, podOn(client.plan)));
  const addresses = new Map([
    [client, calling],
    [server, served],
  ]);
  const opened = () => log.connections("open").filter(({ label }) => label?.startsWith("shared"));
  await until("the connections between nodes on one kernel", () => opened().length >= 2, {
    timeoutMs: SLOW_MS,
  });
  const watching = places.flatMap((place) =>
    RUNGS.map((rung) => Watcher.start(cluster, { ...place, rung }, `tcpretrans-${place.plan.name}-${rung}`)),
  );
  const watchers = await Promise.all(watching);
  for (const place of places) await loseOnNode(onNode(place), LOSS_PERCENT, PORTS);
  const isNamed = ({ source, destination }: NamedLine) =>
    source.pod !== undefined && destination.pod !== undefined;
  await Promise.all(watchers.map((watcher) => watcher.awaitNames(isNamed)));
  await sleep(LOSS_MS);
  for (const place of places) await endLossOnNode(onNode(place));
  await sleep(SETTLE_MS);
  for (const watcher of watchers) await watcher.stop();
  return watchers.map((watcher) => {
    const own = places.find(({ plan }) => plan === watcher.place.plan);
    return judge(watcher, own && addresses.get(own));
  });
}

/** Only events of this node's pod, rightly named. */
function judge(watcher: Watcher, own: DualStack | undefined): Check {
  const { plan, rung } = watcher.place;
  const lines = watcher.lines().filter(isOurs);
  const isOwn = ({ local }: NamedLine) =>
    [own?.v4, own?.v6].some(
      (address) => address !== undefined && local.startsWith(hostPort(address, 0).slice(0, -1)),
    );
  const unnamed = lines.filter((line) => isOwn(line) && line.source.pod !== podOn(plan));
  // A namespace out of sight is another node's whatever the lists have told; an address needs them.
  const judged = rung === "kprobe" ? watcher.allLines().filter(isOurs) : lines;
  const foreign = judged.filter((line) => !isOwn(line));
  const kinds = [...new Set([...foreign, ...unnamed].map(({ source }) => source.name))];
  const named = lines.filter(isOwn).length - unnamed.length;
  const shown = `${named} of its own, ${unnamed.length} without its name, ${foreign.length} of the other's`;
  const isBad = named < FEWEST_EVENTS || foreign.length > 0 || unnamed.length > 0;
  const problem = isBad ? `${shown} (${kinds}): ${watcher.messages()}` : undefined;
  return { subject: `two nodes on one kernel, ${plan.name}`, column: rung, problem, shown };
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
