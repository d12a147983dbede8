import type { Received } from "../export/otlp/decode-otlp.ts";
import { until } from "../lab/cluster/until.ts";
import type { Labels } from "../lab/telemetry/prometheus.ts";
import type { ChartAgent } from "./chart-agent.ts";
import type { ChartTelemetry } from "./chart-telemetry.ts";
import type { Check } from "./report.ts";
import { type SharedKernel, type Twins, twinOn } from "./twins.ts";

/** What is told, and by whom it must be. */
export interface SharedTelling {
  readonly telemetry: ChartTelemetry;
  readonly agents: readonly ChartAgent[];
  readonly kernels: readonly SharedKernel[];
  readonly twins: Twins;
}

/** What had been told at a moment at which nothing moves. */
export interface SharedMoment {
  /** Other nodes' events, as the agent of each node counts them. */
  readonly foreign: ReadonlyMap<string, number>;
  /** Segments of twins in metrics, by `pod node`: the node is that of the agent. */
  readonly segments: ReadonlyMap<string, number>;
  /** At the Collector's sink. */
  readonly logs: readonly Received[];
}

/** Emulated, records come late. */
const CATCH_UP_MS = 60_000;

export async function readShared({ telemetry, agents }: SharedTelling): Promise<SharedMoment> {
  const foreign = agents.map(async (agent) => {
    const [count] = await agent.sums(["tcpretrans_events_foreign_total"]);
    return [agent.place.plan.name, count] as const;
  });
  const sums = await telemetry.prometheus.query(
    'sum by (source_k8s_pod_name, k8s_node_name) (tcp_retransmit_segments_total{source_k8s_pod_name=~"twin-.*"})',
  );
  return {
    foreign: new Map(await Promise.all(foreign)),
    segments: new Map(sums.map(({ labels, value }) => [keyOf(labels), value])),
    logs: [...telemetry.sink.logs],
  };
}

/** Each event of a kernel is told by the agent of one of its nodes, and counted as foreign by the others. The pods must be at rest. */
export async function judgeShared(telling: SharedTelling, since: SharedMoment): Promise<readonly Check[]> {
  let checks: readonly Check[] = [];
  const areRight = async () => {
    const now = await readShared(telling);
    const segments = new Map(
      [...now.segments].map(([key, value]) => [key, value - (since.segments.get(key) ?? 0)]),
    );
    const records = [...telling.twins].map(([node, addresses]): TwinRecords => {
      const local = new Set(Object.values(addresses));
      const own = now.logs
        .slice(since.logs.length)
        .filter(({ attributes }) => local.has(String(attributes["source.address"])));
      return { node, records: own };
    });
    checks = [
      judgeSegments(records, segments),
      judgeRecords(records, segments),
      ...judgeForeign(telling, records, (node) => moved(node, since.foreign, now.foreign)),
    ];
    return checks.every(({ problem }) => problem === undefined);
  };
  await until("what is told of shared kernels", areRight, { timeoutMs: CATCH_UP_MS, everyMs: 1_000 }).catch(
    () => {}, // is told by the checks
  );
  return checks;
}

/** Records with the addresses of a node's twin at the local end, whoever sent them. */
interface TwinRecords {
  readonly node: string;
  readonly records: readonly Received[];
}

function judgeSegments(twins: readonly TwinRecords[], segments: ReadonlyMap<string, number>): Check {
  const own = new Set(twins.map(({ node }) => ownKey(node)));
  const foreign = [...segments].filter(([key, value]) => !own.has(key) && value > 0);
  const problems = foreign.map(([key, value]) => `${value} of ${key}`);
  const missing = [...own].filter((key) => (segments.get(key) ?? 0) === 0);
  problems.push(...missing.map((key) => `none of ${key}`));
  const subject = "agents of nodes that share a kernel count no other node's pods";
  const shown = `${own.size} pods, each by its own node`;
  return { subject, column: "", problem: problems.join("; ") || undefined, shown };
}

function judgeRecords(twins: readonly TwinRecords[], segments: ReadonlyMap<string, number>): Check {
  const problems = twins.flatMap(({ node, records }) => {
    const wrong = records.filter((record) => hostOf(record) !== node);
    const sent = records.filter(({ attributes }) => attributes["tcp.retransmit.outcome"] === "sent");
    const recorded = sent.reduce((sum, { attributes }) => sum + Number(attributes["tcp.segments"] ?? 1), 0);
    const counted = segments.get(ownKey(node)) ?? 0;
    return [
      ...(wrong.length === 0 ? [] : [`${wrong.length} of ${node} from ${hostOf(wrong[0])}`]),
      ...(recorded === counted ? [] : [`${node}: ${recorded} segments in records, ${counted} in metrics`]),
    ];
  });
  const count = twins.reduce((sum, { records }) => sum + records.length, 0);
  const subject = "each event is sent by the one node whose pod it is, with the segments of the metrics";
  return { subject, column: "", problem: problems.join("; ") || undefined, shown: `${count} records` };
}

/** All that the others have told; more, since what has no agent retransmits too. */
function judgeForeign(
  { agents, kernels }: SharedTelling,
  twins: readonly TwinRecords[],
  foreignOf: (node: string) => number,
): readonly Check[] {
  return agents.map(({ place: { plan, rung } }) => {
    const kernel = kernels.find(({ places }) => places.some((place) => place.plan === plan));
    const others = (kernel?.places ?? [])
      .map((place) => place.plan.name)
      .filter((name) => name !== plan.name);
    const told = twins
      .filter(({ node }) => others.includes(node))
      .reduce((sum, { records }) => sum + records.length, 0);
    const foreign = foreignOf(plan.name);
    const shown = `${foreign}, ${others.join(" and ")} told ${told}`;
    const subject = `${plan.name} counts other nodes' events as foreign`;
    return { subject, column: rung, problem: told > 0 && foreign >= told ? undefined : shown, shown };
  });
}

function moved(key: string, since: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>): number {
  return (now.get(key) ?? 0) - (since.get(key) ?? 0);
}

function keyOf(labels: Labels): string {
  return `${labels["source_k8s_pod_name"]} ${labels["k8s_node_name"]}`;
}

function ownKey(name: string): string {
  return `${twinOn({ name })} ${name}`;
}

function hostOf(record: Received | undefined): string {
  return String(record?.resource["host.name"]);
}
