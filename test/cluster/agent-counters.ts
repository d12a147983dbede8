import type { Cause } from "../../src/event/tcp-event.ts";
import type { TcpCounterName, TcpCounters } from "../../src/host/tcp-counters.ts";
import { until } from "../lab/cluster/until.ts";
import type { Prometheus } from "../lab/telemetry/prometheus.ts";
import type { JudgedAgent } from "./agent-node.ts";
import { type PodCounters, readPodCounters } from "./pod-counters.ts";
import type { Check } from "./report.ts";

/** What metrics and kernel say of the pods of one node at a moment at which nothing moves. */
export interface PodMoment {
  readonly kernel: PodCounters;
  /** Retransmitted segments by `pod type`. */
  readonly segments: ReadonlyMap<string, number>;
}

/** A counter of the kernel that is segments of some types: src/reconcile/identities.ts has the same for events. */
interface Identity {
  readonly counter: TcpCounterName;
  /** Undefined: all types. */
  readonly types?: readonly Cause[];
  /** What the counter has beside them. */
  readonly beside?: TcpCounterName;
  /** Only where each event tells its cause by the socket's fields. */
  readonly needsFields: boolean;
}

const IDENTITIES: readonly Identity[] = [
  { counter: "RetransSegs", beside: "TCPRetransFail", needsFields: false },
  { counter: "TCPFastRetrans", types: ["fast", "reordering"], needsFields: true },
  { counter: "TCPSlowStartRetrans", types: ["slow_start", "mtu"], needsFields: true },
  { counter: "TCPSynRetrans", types: ["syn", "syn_ack"], needsFields: true },
];

/** From the kernel's count to the export that has it, emulated: an event may wait for its name. */
const LATE_MS = 4_000;
const CATCH_UP_MS = 60_000;
const TRIES = 6;

/**
 * Reads the kernel's counters and then metrics that were exported later, again and again until the kernel has counted
 * nothing meanwhile. The pods must have been stopped.
 */
export async function momentAtRest(agent: JudgedAgent, prometheus: Prometheus): Promise<PodMoment> {
  for (let tries = 1; ; tries++) {
    const before = await readPodCounters(agent.place);
    await exportedAfter(Date.now() + LATE_MS, agent, prometheus);
    const segments = await readSegments(agent, prometheus);
    const kernel = await readPodCounters(agent.place);
    if (retransmitted(before) === retransmitted(kernel)) return { kernel, segments };
    if (tries === TRIES) throw new Error(`Cannot compare ${agent.place.plan.name}: it is never at rest`);
  }
}

async function exportedAfter(unixMs: number, { place }: JudgedAgent, prometheus: Prometheus): Promise<void> {
  const own = `job="tcpretrans",k8s_node_name="${place.plan.name}"`;
  await until(`an export of ${place.plan.name}`, async () => {
    const [newest] = await prometheus.query(`timestamp(tcpretrans_ticks_total{${own}})`);
    return newest !== undefined && newest.value * 1000 > unixMs;
  });
}

/** Waits until the metrics have what the kernel has counted since then, sees that it stays so, and says so for each pod. */
export async function judgePodCounters(
  agent: JudgedAgent,
  prometheus: Prometheus,
  since: PodMoment,
): Promise<readonly Check[]> {
  let checks: readonly Check[] = [];
  await until(
    "the metrics of every pod",
    async () => {
      checks = compare(agent, since, await momentAtRest(agent, prometheus));
      return checks.every(({ problem }) => problem === undefined);
    },
    { timeoutMs: CATCH_UP_MS },
  ).catch(() => {});
  return checks;
}

function compare(agent: JudgedAgent, since: PodMoment, now: PodMoment): readonly Check[] {
  const { plan, rung } = agent.place;
  let total = 0;
  const checks = [...now.kernel].flatMap(([pod, counters]) =>
    IDENTITIES.filter(({ needsFields }) => !needsFields || rung === "kprobe").map((identity): Check => {
      const { counter, beside } = identity;
      const moved = (name: TcpCounterName) => countOf(counters, name) - countOf(since.kernel.get(pod), name);
      const kernel = moved(counter) - (beside === undefined ? 0 : moved(beside));
      const metric = segmentsOf(now, pod, identity) - segmentsOf(since, pod, identity);
      total += metric;
      const subject = `${pod}'s segments by tcp_retransmit_segments_total are its kernel's ${counter}`;
      const shown = `${metric} of ${kernel}`;
      return { subject, column: rung, problem: metric === kernel ? undefined : shown, shown };
    }),
  );
  const problem = total > 0 && checks.length > 0 ? undefined : "nothing was retransmitted";
  return [...checks, { subject: `pods of ${plan.name} retransmit`, column: rung, problem }];
}

async function readSegments(
  { place }: JudgedAgent,
  prometheus: Prometheus,
): Promise<ReadonlyMap<string, number>> {
  const own = `job="tcpretrans",k8s_node_name="${place.plan.name}",source_k8s_pod_name!=""`;
  const by = "source_k8s_pod_name,network_tcp_retransmit_type";
  const sums = await prometheus.query(`sum by (${by}) (tcp_retransmit_segments_total{${own}})`);
  return new Map(
    sums.map(({ labels, value }) => [
      `${labels["source_k8s_pod_name"]} ${labels["network_tcp_retransmit_type"]}`,
      value,
    ]),
  );
}

function segmentsOf({ segments }: PodMoment, pod: string, { types }: Identity): number {
  const own = [...segments].filter(([key]) => {
    const [name, type] = key.split(" ");
    return name === pod && (types === undefined || types.some((one) => one === type));
  });
  return own.reduce((sum, [, value]) => sum + value, 0);
}

function countOf(counters: TcpCounters | undefined, name: TcpCounterName): number {
  return Number(counters?.[name] ?? 0n);
}

function retransmitted(counters: PodCounters): number {
  return [...counters.values()].reduce((sum, own) => sum + countOf(own, "RetransSegs"), 0);
}
