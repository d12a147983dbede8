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

/** The one port of a kernel's connections in IPv4, the other in IPv6. */
type Ports = { readonly low: number; readonly high: number };

const LOSS_PERCENT = 20;
const SETTLE_MS = 4_000;
/** Of each node, with their names. Connections that lose much back off: until there are so many may take a minute. */
const FEWEST_EVENTS = 10;
const SLOW_MS = 300_000;
/** An event may have waited so long for its name, and have given up just before. */
const WAITED_MS = 2_500;

/** A pod's side of the connections between the nodes of a kernel. */
interface Side {
  readonly place: NodePlace;
  readonly pod: string;
  readonly addresses: DualStack;
}

/**
 * Two nodes on one kernel, each with its own tcpretrans on each rung: every probe fires in all, and each event is
 * shown by the node whose pod it is, once. In the virtual machine they are told apart by cgroup and namespace or by
 * addresses, on this machine by addresses alone; there node-a is a third one on the same kernel.
 */
export async function testSharedKernel(cluster: Cluster, log: TrafficLog): Promise<readonly Check[]> {
  const onThis = async () => {
    const places = await cluster.startSiblings();
    return testKernel(cluster, log, {
      places,
      ports: { low: 20_122, high: 20_123 },
      watchedFrom: [...places, cluster.a],
    });
  };
  const inVm = async () => {
    const places = await cluster.startNested();
    return testKernel(cluster, log, {
      places,
      ports: { low: 20_120, high: 20_121 },
      watchedFrom: places.flatMap((place) => [place, { ...place, rung: "tracepoint" }]),
    });
  };
  return (await Promise.all([onThis(), inVm()])).flat();
}

async function testKernel(
  cluster: Cluster,
  log: TrafficLog,
  kernel: {
    readonly places: readonly NodePlace[];
    readonly ports: Ports;
    readonly watchedFrom: readonly NodePlace[];
  },
): Promise<readonly Check[]> {
  const { places, ports, watchedFrom } = kernel;
  const sides = await connect(cluster, log, { places, ports });
  const watchers = await Promise.all(
    watchedFrom.map((place) =>
      Watcher.start(cluster, place, { name: `tcpretrans-${place.plan.name}-${place.rung}-shared` }),
    ),
  );
  for (const place of places) await loseOnNode(onNode(place), LOSS_PERCENT, ports);
  const isOurs = ({ local, peer }: NamedLine) =>
    [local, peer].some((end) => Object.values(ports).includes(portOf(end)));
  const judged = watchers.map((watcher) => {
    const own = sides.find(({ place }) => place.plan === watcher.place.plan);
    const sameRung = watchers.filter(({ place }) => place.rung === watcher.place.rung);
    return new Judged(watcher, { isOurs, own, beside: sameRung.filter((other) => other !== watcher) });
  });
  await until("every node's events with their names", () => judged.every((each) => each.hasEnough), {
    timeoutMs: SLOW_MS,
    everyMs: 500,
  }).catch(() => {}); // is told below
  const endMs = Date.now();
  for (const place of places) await endLossOnNode(onNode(place));
  await sleep(SETTLE_MS);
  for (const watcher of watchers) await watcher.stop();
  return judged.map((each) => each.check(endMs));
}

/** A pod on each of two nodes, with connections of both families between them that are open. */
async function connect(
  cluster: Cluster,
  log: TrafficLog,
  { places, ports }: { readonly places: readonly NodePlace[]; readonly ports: Ports },
): Promise<readonly Side[]> {
  const [client, server] = places;
  if (client === undefined || server === undefined)
    throw new Error("Cannot compare nodes: there are not two");
  const start = async (place: NodePlace, args: readonly string[]): Promise<Side> => {
    const pod = podOn(place.plan);
    await createPod(cluster, pod, { node: place.plan, args });
    return { place, pod, addresses: podAddresses(await runningPod(cluster, pod)) };
  };
  const served = await start(server, [`-listen=${ports.low}-${ports.high}`]);
  const { v4, v6 } = served.addresses;
  const labels = [`${client.plan.name}-4`, `${client.plan.name}-6`];
  const targets = [hostPort(v4, ports.low), hostPort(v6, ports.high)];
  const calling = await start(client, [
    `-connect=${labels.map((label, i) => `${label}=${targets[i]}`).join(",")}`,
  ]);
  const isOpen = () => {
    const open = new Set(log.connections("open").map(({ label }) => label));
    return labels.every((label) => open.has(label));
  };
  await until("the connections between nodes on one kernel", isOpen, { timeoutMs: SLOW_MS });
  return [calling, served];
}

/** What one tcpretrans showed of the connections, held against whose they are. */
class Judged {
  readonly #watcher: Watcher;
  readonly #isOurs: (line: NamedLine) => boolean;
  readonly #own: Side | undefined;
  readonly #beside: readonly Watcher[];

  constructor(
    watcher: Watcher,
    kernel: {
      readonly isOurs: (line: NamedLine) => boolean;
      /** Undefined: no pod of it has a connection here. */
      readonly own: Side | undefined;
      /** Those of other nodes, on the same rung. */
      readonly beside: readonly Watcher[];
    },
  ) {
    this.#watcher = watcher;
    this.#isOurs = kernel.isOurs;
    this.#own = kernel.own;
    this.#beside = kernel.beside;
  }

  get hasEnough(): boolean {
    return this.#own === undefined || this.#lines().named.length >= FEWEST_EVENTS;
  }

  /**
   * From the first event on one of another node's is bad; but on the tracepoint rung it may be marked, until the lists
   * are in or where no own event tells when that was. From then on an own one without its pod's name is bad too. Every
   * event that other nodes showed as theirs until a time must be among those that this one counted as foreign or marked.
   */
  check(endMs: number): Check {
    const { plan, rung } = this.#watcher.place;
    const { named, unnamed, others } = this.#lines();
    const namesMs = (named[0]?.time ?? Number.POSITIVE_INFINITY) + WAITED_MS;
    const isMarked = ({ isUndetermined, time }: NamedLine) =>
      rung === "tracepoint" && isUndetermined && time < namesMs;
    const bad = [
      ...unnamed.filter(({ time }) => time >= namesMs),
      ...others.filter((line) => !isMarked(line)),
    ];
    const foreign = Number(
      /^Foreign: ([\d,]+)/m.exec(this.#watcher.messages())?.[1]?.replaceAll(",", "") ?? 0,
    );
    const marked = others.filter(({ isUndetermined }) => isUndetermined).length;
    const ofOthers = this.#beside
      .flatMap((watcher) => watcher.allLines())
      .filter((line) => this.#isOurs(line) && !line.isUndetermined && line.time < endMs).length;
    const shown = `${named.length} of its own, ${bad.length} wrongly shown`;
    const problems = [
      ...(this.hasEnough ? [] : [`only ${named.length} of its own`]),
      ...(bad.length === 0 ? [] : [`${bad.length} wrongly shown: ${bad.slice(0, 5).map(tell).join("; ")}`]),
      ...(ofOthers > foreign + marked
        ? [`others showed ${ofOthers}, it has ${foreign} foreign and ${marked} marked`]
        : []),
    ];
    const problem = problems.length === 0 ? undefined : `${problems.join(", ")}: ${this.#watcher.messages()}`;
    return { subject: `nodes on one kernel, ${plan.name}`, column: rung, problem, shown };
  }

  #lines(): Record<"named" | "unnamed" | "others", readonly NamedLine[]> {
    const lines = this.#watcher.allLines().filter(this.#isOurs);
    const own = this.#own;
    const addresses = Object.values(own?.addresses ?? {});
    const isOwn = ({ local }: NamedLine) =>
      addresses.some((address) => local.startsWith(hostPort(address, 0).slice(0, -1)));
    const isNamed = ({ source }: NamedLine) => source.pod !== undefined && source.pod === own?.pod;
    return {
      named: lines.filter((line) => isOwn(line) && isNamed(line)),
      unnamed: lines.filter((line) => isOwn(line) && !isNamed(line)),
      others: lines.filter((line) => !isOwn(line)),
    };
  }
}

function tell({ time, local, peer, source, isUndetermined }: NamedLine): string {
  const mark = isUndetermined ? " ?" : "";
  return `${new Date(time).toISOString().slice(14, 23)} ${local} to ${peer}: ${source.kind} ${source.name}${mark}`;
}

function portOf(end: string): number {
  return Number(end.slice(end.lastIndexOf(":") + 1));
}

function podOn({ name }: NodePlan): string {
  return `shared-${name}`;
}

/** Runs programs as the node's own. */
function onNode({ runner, entry }: NodePlace): Pick<ProgramRunner, "exec"> {
  return { exec: (args) => runner.exec([...entry, ...args]) };
}
