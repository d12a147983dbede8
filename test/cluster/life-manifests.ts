import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { Cluster, NodePlace } from "../lab/cluster/cluster.ts";
import type { KubeObject } from "../lab/cluster/kube-api.ts";
import { until } from "../lab/cluster/until.ts";
import type { InstalledChart } from "./installed-chart.ts";
import { leftOn, readRemains } from "./node-remains.ts";
import type { Check } from "./report.ts";

const MANIFESTS = join(import.meta.dirname, "../../manifests/tcpretrans.yaml");
const INSTALL = join(import.meta.dirname, "../../docs/install.md");
const NAMESPACE = "tcpretrans";

/** Installs and removes by kubectl, as docs/install.md tells, on every node at once. */
export async function judgeManifests(cluster: Cluster, chart: InstalledChart): Promise<readonly Check[]> {
  const shell = (command: string) => chart.shell(command);
  const places = [cluster.a, cluster.b];
  const before = await Promise.all(places.map(readRemains));
  await Promise.all(places.map((place) => nameImage(place, chart.image)));
  const applied = await shell("kubectl apply --server-side -k manifests");
  const pods = await until("the manifests' pods", () => readyPods(cluster, places.length), {
    timeoutMs: 300_000,
    everyMs: 500,
  }).catch((error: Error) => error);
  const isUp = applied.code === 0 && !(pods instanceof Error);
  const checks: Check[] = [
    {
      subject: "kubectl apply -k manifests makes a ready pod on every node",
      column: "",
      problem: isUp ? undefined : `${applied.text} ${pods instanceof Error ? pods.message : ""}`,
    },
  ];
  for (const command of removal()) {
    const { code, text } = await shell(command);
    checks.push({ subject: command, column: "", problem: code === 0 ? undefined : text });
  }
  const left = await Promise.all(places.map((place, i) => leftOn(place, before[i] ?? NOTHING)));
  for (const [i, place] of places.entries())
    checks.push({
      subject: "removed by kubectl, no probe, instance, mount or file of ours is on the node",
      column: place.rung,
      problem: left[i],
      shown: "nothing",
    });
  return checks;
}

const NOTHING = { agents: [], others: [], probes: [], mounts: [], files: [] };

/** The commands of docs/install.md for it, in their order. */
function removal(): readonly string[] {
  const lines = readFileSync(INSTALL, "utf8").split("\n");
  return lines.filter((line) => /^kubectl (delete -k|apply -k manifests\/cleanup)/.test(line));
}

/** Gives the image the name that the manifests have. */
async function nameImage({ runner, ctr }: NodePlace, archiveImage: string): Promise<void> {
  const [daemonSet] = parseAllDocuments(readFileSync(MANIFESTS, "utf8"))
    .map((document) => document.toJS() as KubeObject)
    .filter(({ kind }) => kind === "DaemonSet");
  await runner.exec([
    ...ctr,
    "image",
    "tag",
    "--force",
    archiveImage,
    daemonSet?.spec.template.spec.containers[0].image,
  ]);
}

async function readyPods({ api }: Cluster, count: number): Promise<readonly KubeObject[] | undefined> {
  const pods = await api.list(`/api/v1/namespaces/${NAMESPACE}/pods`);
  const ready = pods.filter(({ status }) =>
    (status.conditions ?? []).some(
      ({ type, status: is }: { type: string; status: string }) => type === "Ready" && is === "True",
    ),
  );
  return ready.length === count ? ready : undefined;
}
