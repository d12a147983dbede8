import { join } from "node:path";
import type { Cluster } from "../lab/cluster/cluster.ts";
import { goProgram } from "../lab/cluster/go-tools.ts";
import { packImage, programFiles } from "../lab/cluster/images.ts";
import { ServiceNames } from "../lab/cluster/service-names.ts";
import { until } from "../lab/cluster/until.ts";
import { InstalledChart } from "./installed-chart.ts";
import type { Check } from "./report.ts";
import { SHOP } from "./shop.ts";

const RELEASE = "demo";
const NAME = `${RELEASE}-tcpretrans-demo`;
const IMAGES = { otelcol: "tcpretrans.test/otelcol:1", prometheus: "tcpretrans.test/prometheus:1" } as const;
/** Its Collector's batches, its agent's interval of 15 s, and what is being emulated beside it. */
const PATIENCE_MS = 180_000;

/**
 * `demo.enabled` with pods of a real Collector and Prometheus, on node-a alone: what NOTES promises can be asked there, of packets that
 * the caller loses meanwhile.
 */
export async function judgeDemo(
  cluster: Cluster,
  {
    labDir,
    archive,
    say,
  }: { readonly labDir: string; readonly archive: string; readonly say: (line: string) => void },
): Promise<readonly Check[]> {
  const { api, a } = cluster;
  await using _names = await ServiceNames.listen(api);
  const set: Record<string, string> = {
    "demo.enabled": "true",
    "nodeSelector.kubernetes\\.io/hostname": a.plan.name,
  };
  for (const [name, program] of [
    ["collector", "otelcol"],
    ["prometheus", "prometheus"],
  ] as const) {
    const path = await goProgram(labDir, program, say);
    const packed = join(cluster.dir, `${program}.tar`);
    await packImage(
      { names: [IMAGES[program]], entrypoint: `/bin/${program}`, files: await programFiles(path) },
      packed,
    );
    await a.runner.exec([...a.ctr, "image", "import", packed]);
    set[`demo.${name}.image`] = IMAGES[program];
    set[`demo.${name}.pullPolicy`] = "Never";
  }
  const helm = await goProgram(labDir, "helm3", say);
  // Its Deployments choose no node.
  await api.patch("/api/v1/nodes/node-b", { spec: { unschedulable: true } });
  try {
    const order = { helm, archive, places: [a], release: RELEASE, set };
    await using chart = await InstalledChart.install(cluster, order);
    await chart.awaitReady();
    return [await judgeFirstQuery(cluster), await judgeCollectorLog(chart)];
  } finally {
    await api.patch("/api/v1/nodes/node-b", { spec: { unschedulable: null } });
  }
}

/** The query that NOTES begin with, through the API server's proxy. */
async function judgeFirstQuery({ api }: Cluster): Promise<Check> {
  const by = "source_k8s_namespace_name, source_k8s_pod_name, network_tcp_retransmit_type";
  const query = `sum by (${by}) (rate(tcp_retransmit_segments_total[5m])) > 0`;
  const service = `/api/v1/namespaces/${RELEASE}/services/${NAME}-prometheus:9090/proxy`;
  let shown = "";
  const hasRows = async () => {
    const answer = await api.get<Answer>(`${service}/api/v1/query?query=${encodeURIComponent(query)}`);
    const own = answer.data.result.filter(({ metric }) => metric["source_k8s_namespace_name"] === SHOP);
    shown = `${own.length} rows of the workloads`;
    return own.length > 0;
  };
  return judge("demo.enabled: Prometheus answers the first query", hasRows, () => shown);
}

interface Answer {
  readonly data: { readonly result: readonly { readonly metric: Readonly<Record<string, string>> }[] };
}

/** Events as the Collector gets them, by the command of NOTES. */
async function judgeCollectorLog(chart: InstalledChart): Promise<Check> {
  let text = "";
  const hasEvent = async () => {
    ({ text } = await chart.shell(`kubectl -n ${RELEASE} logs deployment/${NAME}-collector`));
    return text.includes("source.k8s.pod.name") && text.includes("network.tcp.retransmit.type");
  };
  return judge("demo.enabled: the Collector's log has events", hasEvent, () => text.slice(-500));
}

async function judge(subject: string, isSo: () => Promise<boolean>, shown: () => string): Promise<Check> {
  const problem = await until(subject, isSo, { timeoutMs: PATIENCE_MS, everyMs: 1_000 }).then(
    () => undefined,
    (error: Error) => `${error.message} ${shown()}`,
  );
  return { subject, column: "", problem };
}
