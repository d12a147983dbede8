import { until } from "../lab/cluster/until.ts";
import { run } from "../lab/run.ts";
import { comparePaths, type PathSeries, readPath } from "../lab/telemetry/metric-paths.ts";
import type { Labels, Prometheus } from "../lab/telemetry/prometheus.ts";
import type { JudgedAgent } from "./agent-node.ts";
import type { AgentTelemetry } from "./agent-telemetry.ts";
import { readPodCounters } from "./pod-counters.ts";
import type { Check } from "./report.ts";

const OTLP = { name: "Prometheus's OTLP receiver", job: "tcpretrans" };
const SCRAPE = { name: "/metrics", job: "scrape" };
const PATHS = [OTLP, { name: "the Collector's prometheus exporter", job: "collector" }, SCRAPE];
const CATCH_UP_MS = 30_000;

/** All ways have the same series and, where events alone move them, the same numbers. The pods must be at rest. */
export async function judgeMetricPaths(prometheus: Prometheus): Promise<Check> {
  let problems: readonly string[] = [];
  let count = 0;
  await until(
    "equal ways",
    async () => {
      const paths = await Promise.all(PATHS.map((path) => readPath(prometheus, path)));
      problems = [...comparePaths(paths), ...differentValues(paths)];
      count = paths[0]?.series.size ?? 0;
      return problems.length === 0 && count > 0;
    },
    { timeoutMs: CATCH_UP_MS, everyMs: 1_000 },
  ).catch(() => {});
  const problem = problems.slice(0, 8).join("; ") || (count === 0 ? "there are no series" : undefined);
  return {
    subject: "metrics on every way have the same names, labels and numbers",
    column: "",
    problem,
    shown: `${count} series`,
  };
}

/** Segments by both ends and type are those of the events that the agent printed, for pods that live. The pods must be at rest. */
export async function judgeEnds(agent: JudgedAgent, prometheus: Prometheus): Promise<Check> {
  const { place } = agent;
  const living = new Set((await readPodCounters(place)).keys());
  const by = [...END_LABELS, "network_tcp_retransmit_type"];
  const own = `job="tcpretrans",k8s_node_name="${place.plan.name}",source_k8s_pod_name!=""`;
  const sums = new Map<string, number>();
  const add = (values: readonly unknown[], count: number) => {
    const key = values.join(" ");
    if (living.has(String(values[0]))) sums.set(key, (sums.get(key) ?? 0) + count);
  };
  for (const event of agent.events()) {
    if (event["tcp.retransmit.outcome"] !== "sent") continue;
    add([...endsOf(event), event["network.tcp.retransmit.type"]], Number(event["tcp.segments"] ?? 1));
  }
  const shown = `${sums.size} series`;
  for (const { labels, value } of await prometheus.query(
    `sum by (${by.join(",")}) (tcp_retransmit_segments_total{${own}})`,
  ))
    add(
      by.map((name) => labels[name]),
      -value,
    );
  const differing = [...sums].filter(([, left]) => left !== 0);
  const problems = differing.map(([key, left]) => `${key}: ${left} more printed than counted`);
  if (shown === "0 series") problems.push("there are none");
  return {
    subject: "segments by both ends and type are those of the events",
    column: place.rung,
    problem: problems.slice(0, 5).join("; ") || undefined,
    shown,
  };
}

const END_LABELS = ["source_k8s_pod_name", "destination_kind", "destination_name"];

/** What the metric's labels must say of an event's ends: of a pod as the peer its workload. */
function endsOf(event: Readonly<Record<string, unknown>>): readonly unknown[] {
  const source = event["source.k8s.pod.name"];
  if (event["destination.k8s.pod.name"] === undefined)
    return [source, event["destination.kind"], event["destination.name"]];
  const workload = `${event["destination.k8s.namespace.name"]}/${event["destination.k8s.workload.name"]}`;
  return [source, "workload", workload];
}

/** What is seen is what the kernel has counted over all of the node's namespaces. */
export async function judgeCoverage(
  { place }: JudgedAgent,
  prometheus: Prometheus,
): Promise<readonly Check[]> {
  const value = async (name: string) => {
    const found = await prometheus.query(`sum(${name}{job="tcpretrans",k8s_node_name="${place.plan.name}"})`);
    return found[0]?.value;
  };
  const judge = async (what: string): Promise<Check> => {
    let shown = "";
    const isSo = async () => {
      const [seen, kernel] = [
        await value(`tcpretrans_${what}_seen_total`),
        await value(`tcpretrans_${what}_kernel_total`),
      ];
      shown = `${seen} of ${kernel}`;
      return seen === kernel && seen !== undefined && seen > 0;
    };
    const problem = await until("coverage", isSo, { timeoutMs: CATCH_UP_MS, everyMs: 1_000 }).then(
      () => undefined,
      () => shown,
    );
    return {
      subject: `tcpretrans_${what}_seen_total is tcpretrans_${what}_kernel_total`,
      column: place.rung,
      problem,
      shown,
    };
  };
  return [await judge("segments"), await judge("loss_probes")];
}

/** A pod's series that were born in a storm begin with 0, so that `increase()` has all of it. */
export async function judgeBirth(pod: string, prometheus: Prometheus): Promise<readonly Check[]> {
  const selector = (job: string) =>
    `{__name__=~"tcp_retransmit(s|_segments)_total",job="${job}",source_k8s_pod_name="${pod}"}`;
  return Promise.all(
    [OTLP, SCRAPE].map(async ({ name, job }) => {
      const series = await prometheus.samples(selector(job), 600);
      const increases = await prometheus.query(`increase(${selector(job)}[10m])`);
      const moved = series.filter(({ values }) => (values.at(-1)?.[1] ?? 0) > 0);
      const late = series.filter(({ values }) => values[0]?.[1] !== 0);
      const still = moved.filter(
        ({ labels }) => !increases.some((one) => isSame(one.labels, labels) && one.value > 0),
      );
      const shown = `${moved.length} series that moved`;
      const problems = [
        ...(moved.length === 0 ? ["no series moved"] : []),
        ...late.map(({ labels }) => `no 0 first in ${JSON.stringify(labels)}`),
        ...still.map(({ labels }) => `no increase in ${JSON.stringify(labels)}`),
      ];
      const problem = problems.slice(0, 3).join("; ") || undefined;
      return { subject: "increase() has a series that is born in a storm", column: name, problem, shown };
    }),
  );
}

/** Nothing was dropped, though exports failed while the Collector was away. */
export async function judgeOutage({ place }: JudgedAgent, prometheus: Prometheus): Promise<Check> {
  const sum = async (name: string) => {
    const own = `job="scrape",k8s_node_name="${place.plan.name}",tcpretrans_signal!="metrics"`;
    return (await prometheus.query(`sum(${name}{${own}})`))[0]?.value ?? 0;
  };
  const dropped = await sum("tcpretrans_queue_dropped_total");
  const failures = await sum("tcpretrans_export_failures_total");
  const shown = `${failures} requests failed, ${dropped} records dropped`;
  const problem = failures > 0 && dropped === 0 ? undefined : shown;
  return { subject: "nothing is dropped while the Collector is away", column: place.rung, problem, shown };
}

/** promtool finds nothing wrong with what is scraped as text; it reads no OpenMetrics. */
export async function judgeText(
  agent: JudgedAgent,
  { promtool }: Pick<AgentTelemetry, "promtool">,
): Promise<Check> {
  const input = await agent.metricsText();
  const problem = await run(promtool, ["check", "metrics"], { input }).then(
    () => undefined,
    (error: Error) => error.message.slice(0, 500),
  );
  return { subject: "promtool check metrics", column: agent.place.plan.name, problem };
}

/** The series of a pod that is gone are no longer shown. */
export async function judgeEnd(pod: string, prometheus: Prometheus): Promise<Check> {
  const gone = async () => {
    const left = await prometheus.query(`{job="scrape",source_k8s_pod_name="${pod}"}`);
    if (left.length > 0) throw new Error(`${left.length} series are left`);
    return true;
  };
  const problem = await until("the end of its series", gone, { timeoutMs: CATCH_UP_MS, everyMs: 1_000 }).then(
    () => undefined,
    (error: Error) => error.message,
  );
  return { subject: "a pod's series end with it", column: pod, problem };
}

function differentValues(paths: readonly PathSeries[]): readonly string[] {
  const [first, ...others] = paths;
  if (first === undefined) return [];
  return [...first.series]
    .filter(([name]) => name.startsWith("tcp_"))
    .flatMap(([name, value]) =>
      others
        .filter(({ series }) => series.has(name) && series.get(name) !== value)
        .map(({ path, series }) => `${name} is ${value}, by ${path.name} ${series.get(name)}`),
    );
}

function isSame(labels: Labels, other: Labels): boolean {
  // increase() drops the name: of two metrics with the same labels either will do.
  const text = ({ __name__: _, ...rest }: Record<string, string>) =>
    JSON.stringify(Object.entries(rest).sort());
  return text(labels) === text(other);
}
