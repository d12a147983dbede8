import type { Received } from "../export/otlp/decode-otlp.ts";
import type { Cluster, NodePlace } from "../lab/cluster/cluster.ts";
import { until } from "../lab/cluster/until.ts";
import type { ChartTelemetry } from "./chart-telemetry.ts";
import { readPodCounters, signalPods } from "./pod-counters.ts";
import type { Check } from "./report.ts";
import { SHOP } from "./shop.ts";
import { podAddresses } from "./workloads.ts";

/** What the kernel of a node has retransmitted for the shop's pods there, and what has been told of it by all agents so far. */
export interface Told {
  readonly kernel: number;
  /** Segments in log records at the Collector's sink. */
  readonly records: number;
  /** Segments in metrics, over every agent that there was. */
  readonly metric: number;
}

/** Emulated, the last records and metrics of an agent that ends come late. */
const CATCH_UP_MS = 90_000;
const STEADY_MS = 3_000;

/** Reads it for every place while the shop's pods stand still, and so do the kernels. */
export async function readAtRest(
  cluster: Cluster,
  telemetry: ChartTelemetry,
  isRight: (told: readonly Told[]) => boolean = () => true,
): Promise<readonly Told[]> {
  const places = [cluster.a, cluster.b];
  const signal = (name: "STOP" | "CONT") => Promise.all(places.map((place) => signalPods(place, name)));
  const read = () => Promise.all(places.map((place) => readTold(cluster, place, telemetry)));
  await signal("STOP");
  try {
    let last = await read();
    const isSteady = async () => {
      const before = last;
      last = await read();
      return JSON.stringify(last) === JSON.stringify(before) && isRight(last);
    };
    await until("the end of retransmits", isSteady, {
      timeoutMs: CATCH_UP_MS,
      everyMs: STEADY_MS,
    }).catch(() => {});
    return last;
  } finally {
    await signal("CONT");
  }
}

/** Each retransmit since then is in one record and in one counter, whichever agent was there. */
export function judgeTold(
  { rung }: NodePlace,
  since: Told | undefined,
  now: Told | undefined,
): readonly Check[] {
  const moved = (what: keyof Told) => (now?.[what] ?? 0) - (since?.[what] ?? 0);
  const kernel = moved("kernel");
  return (["records", "metric"] as const).map((what) => {
    const shown = `${moved(what)} of ${kernel}`;
    const isRight = moved(what) === kernel && kernel > 0;
    const subject = `over handovers and a Collector that moves, segments in ${what === "metric" ? "metrics" : "log records"} are the kernel's`;
    return { subject, column: rung, problem: isRight ? undefined : shown, shown };
  });
}

/** No retransmit is in the records of two agents. Sockets' own counts tell retransmits apart where records have them. */
export function judgeTwice({ plan, rung }: NodePlace, logs: readonly Received[]): Check {
  const own = once(logs.filter(({ resource }) => resource["host.name"] === plan.name));
  const known = own.filter(
    ({ attributes }) =>
      attributes["tcp.total_retrans"] !== undefined && attributes["tcp.retransmit.outcome"] === "sent",
  );
  const byEvent = Map.groupBy(known, ({ name, attributes }) =>
    [name, ...EVENT_KEYS.map((key) => attributes[key])].join(" "),
  );
  const twice = [...byEvent].filter(([, records]) => new Set(records.map(agentOf)).size > 1);
  const shown = `${known.length} records of ${new Set(known.map(agentOf)).size} agents`;
  const problems = twice.slice(0, 3).map(([key]) => key);
  if (known.length === 0) problems.push("there are none");
  const subject = "no retransmit is in the records of two agents";
  return { subject, column: rung, problem: problems.join("; ") || undefined, shown };
}

const EVENT_KEYS = [
  ...["source.address", "source.port", "destination.address", "destination.port"],
  ...["network.tcp.retransmit.type", "tcp.retransmit.outcome", "tcp.seq", "tcp.total_retrans", "tcp.rto"],
];

/** Name of the pod that sent it. */
export function agentOf({ resource }: Received): string {
  return String(resource["k8s.pod.name"]);
}

async function readTold(
  { api }: Cluster,
  place: NodePlace,
  { sink, prometheus }: ChartTelemetry,
): Promise<Told> {
  const { name } = place.plan;
  const pods = (await api.list(`/api/v1/namespaces/${SHOP}/pods`)).filter(
    ({ spec }) => spec.nodeName === name,
  );
  const addresses = new Set(pods.map(podAddresses).flatMap(({ v4, v6 }) => [v4, v6]));
  const counters = [...(await readPodCounters(place)).values()];
  const kernel = counters.reduce(
    (sum, { RetransSegs = 0n, TCPRetransFail = 0n }) => sum + Number(RetransSegs - TCPRetransFail),
    0,
  );
  const own = sink.logs.filter(
    ({ resource, attributes }) =>
      resource["host.name"] === name &&
      attributes["tcp.retransmit.outcome"] === "sent" &&
      addresses.has(String(attributes["source.address"])),
  );
  const records = once(own).reduce((sum, { attributes }) => sum + Number(attributes["tcp.segments"] ?? 1), 0);
  const series = `tcp_retransmit_segments_total{job="tcpretrans",k8s_node_name="${name}",source_k8s_namespace_name="${SHOP}"}`;
  const [metric] = await prometheus.query(`sum(max_over_time(${series}[1h]))`);
  return { kernel, records, metric: metric?.value ?? 0 };
}

/** A request whose answer is lost, as while the Collector ends, is sent again: what came twice from one agent counts once. */
function once(records: readonly Received[]): readonly Received[] {
  const keyed = records.map((record) => {
    const { name, times, attributes } = record;
    const key = [agentOf(record), times[0], name, ...EVENT_KEYS.map((one) => attributes[one])].join(" ");
    return [key, record] as const;
  });
  return [...new Map(keyed).values()];
}
