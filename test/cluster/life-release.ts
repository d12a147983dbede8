import { BlockList, isIPv6 } from "node:net";
import type { Received } from "../export/otlp/decode-otlp.ts";
import type { Cluster, NodePlace } from "../lab/cluster/cluster.ts";
import type { KubeObject } from "../lab/cluster/kube-api.ts";
import { until } from "../lab/cluster/until.ts";
import type { ChartAgent } from "./chart-agent.ts";
import type { ChartTelemetry } from "./chart-telemetry.ts";
import { InstalledChart } from "./installed-chart.ts";
import { agentOf } from "./life-counts.ts";
import { type Remains, readRemains } from "./node-remains.ts";

/** Emulated, the start of a pod takes many times as long. */
const PATIENCE_MS = 300_000;
const RECORDS_MS = 90_000;

/** A release of the chart on one node alone: the emulated one must not hold up the other. */
export interface Release {
  readonly cluster: Cluster;
  readonly place: NodePlace;
  readonly telemetry: ChartTelemetry;
  readonly chart: InstalledChart;
  /** Of its DaemonSet and its service account. */
  readonly name: string;
  /** The node before the first pod. */
  readonly before: Remains;
}

export interface ReleaseOptions {
  readonly telemetry: ChartTelemetry;
  readonly helm: string;
  readonly archive: string;
}

/** Values that every revision has, beside its own. */
export function valuesOf(place: NodePlace, endpoint: string): Readonly<Record<string, string>> {
  return {
    "nodeSelector.kubernetes\\.io/hostname": place.plan.name,
    "collector.endpoint": endpoint,
    "config.metrics.intervalSeconds": "2",
  };
}

/** Installs it and waits until its pod is ready. */
export async function installRelease(
  cluster: Cluster,
  place: NodePlace,
  { telemetry, ...order }: ReleaseOptions,
): Promise<Release> {
  const before = await readRemains(place);
  const release = `life-${place.plan.name}`;
  const set = valuesOf(place, telemetry.endpoint);
  const chart = await InstalledChart.install(cluster, { ...order, release, places: [place], set });
  await chart.awaitReady();
  return { cluster, place, telemetry, chart, before, name: `${release}-tcpretrans` };
}

/** Waits until the DaemonSet has made its pods anew; gives the one that there is now. */
export async function rolledOut({ chart, name }: Release): Promise<ChartAgent> {
  const command = `kubectl -n ${chart.namespace} rollout status daemonset/${name} --timeout=300s`;
  const { code, text } = await chart.shell(command);
  if (code !== 0) throw new Error(`Cannot roll out: ${text}`);
  return agentNow(chart);
}

/** The one agent that is ready. */
export async function agentNow(chart: InstalledChart): Promise<ChartAgent> {
  const [agent] = await chart.awaitReady();
  if (agent === undefined) throw new Error("Cannot find an agent");
  return agent;
}

/** Its agents' pods, ready or not. */
export async function podsOf({
  cluster,
  chart,
}: Pick<Release, "cluster" | "chart">): Promise<readonly KubeObject[]> {
  const selector = encodeURIComponent("app.kubernetes.io/component=agent");
  return cluster.api.list(`/api/v1/namespaces/${chart.namespace}/pods?labelSelector=${selector}`);
}

/** Waits until an agent's pod is as wanted. */
export async function podIs(
  release: Pick<Release, "cluster" | "chart">,
  what: string,
  isSo: (pod: KubeObject) => boolean,
): Promise<KubeObject> {
  let seen = "";
  return until(
    what,
    async () => {
      const pods = await podsOf(release);
      seen = pods
        .map(({ metadata, status }) => `${metadata.name} ${JSON.stringify(status.containerStatuses)}`)
        .join("; ");
      return pods.find(isSo);
    },
    { timeoutMs: PATIENCE_MS, everyMs: 300 },
  ).catch((error: Error) => {
    throw new Error(`${error.message}: ${seen}`, { cause: error });
  });
}

/**
 * Waits until an agent has sent some more log records of pods, while packets are lost: it captures. Gives those; other programs of
 * this machine may retransmit too.
 */
export async function recordsFrom(
  { place, telemetry: { sink } }: Release,
  pod: string,
  count = 3,
): Promise<readonly Received[]> {
  const from = sink.logs.length;
  const pods = new BlockList();
  for (const range of [place.plan.podRange.v4, place.plan.podRange.v6]) {
    const [address = "", length] = range.split("/");
    pods.addSubnet(address, Number(length), isIPv6(address) ? "ipv6" : "ipv4");
  }
  const isOfPod = ({ attributes }: Received) => {
    const address = String(attributes["source.address"]);
    return pods.check(address, isIPv6(address) ? "ipv6" : "ipv4");
  };
  const found = () => sink.logs.slice(from).filter((record) => agentOf(record) === pod && isOfPod(record));
  await until(`records of ${pod}`, () => found().length >= count, { timeoutMs: RECORDS_MS });
  return found();
}
