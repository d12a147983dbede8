import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readAuditLog } from "../lab/cluster/audit-log.ts";
import type { Cluster, NodePlace } from "../lab/cluster/cluster.ts";
import { goProgram } from "../lab/cluster/go-tools.ts";
import { hostPort, NODE_A } from "../lab/cluster/plan.ts";
import { until } from "../lab/cluster/until.ts";
import { Collector } from "../lab/telemetry/collector.ts";
import { ChartTelemetry } from "./chart-telemetry.ts";
import { judgeRights } from "./granted-rights.ts";
import { judgeBadTag, judgeNoCapability, judgeUpgrade, moveCollector } from "./life-changes.ts";
import { judgeTold, judgeTwice, readAtRest, type Told } from "./life-counts.ts";
import { judgeOomKill, judgeUninstallInCrashLoop } from "./life-deaths.ts";
import { judgeDrain } from "./life-drain.ts";
import { judgeManifests } from "./life-manifests.ts";
import { judgeNodeDeleted } from "./life-node.ts";
import { installRelease, type Release } from "./life-release.ts";
import { judgeLostRights, rulesOf } from "./life-rights.ts";
import type { Check } from "./report.ts";
import { closeShop, endShopLoss, openShop, SHOP, startShopLoss } from "./shop.ts";
import type { TrafficLog } from "./traffic-log.ts";

export interface LifeOptions {
  readonly labDir: string;
  /** As `npm run image -- --output` writes it. */
  readonly archive: string;
  readonly say: (line: string) => void;
}

/** Where the Collector is moved to. */
const OTHER = { grpc: 14_367, http: 14_368, metrics: 18_892 };
const LOSS_MS = 4_000;

/** What the parts of a life have in common. */
interface Life {
  readonly cluster: Cluster;
  readonly telemetry: ChartTelemetry;
  /** Of the Collector that the agents are moved to. */
  readonly endpoint: string;
  /** Of node-a and of node-b. */
  readonly releases: readonly [Release, Release];
  readonly checks: Check[];
  /** Does things side by side; what fails is a check, and the life goes on. */
  step(what: string, parts: readonly (() => Promise<readonly Check[]>)[]): Promise<void>;
}

/**
 * What happens to the installed chart over its life: a release on each node, by Helm 3 and by Helm 4, so that the emulated one does
 * not hold up the other, is upgraded, meets a bad image, loses rights, is drained, loses its Node, is killed, and removed; then the manifests on both nodes at once.
 */
export async function testLife(
  cluster: Cluster,
  log: TrafficLog,
  { labDir, archive, say }: LifeOptions,
): Promise<readonly Check[]> {
  await using telemetry = await ChartTelemetry.start(cluster, labDir, say);
  await using other = await startOther(cluster, telemetry, { labDir, say });
  const helm3 = await goProgram(labDir, "helm3", say);
  const helm4 = await goProgram(labDir, "helm4", say);
  await noShop(cluster);
  await mountTracefs(cluster);
  const install = (place: NodePlace, helm: string) =>
    installRelease(cluster, place, { telemetry, helm, archive });
  const [releases] = await Promise.all([
    Promise.all([install(cluster.a, helm3), install(cluster.b, helm4)]),
    openShop(cluster, log),
  ]);
  await using undo = new AsyncDisposableStack();
  for (const { chart } of releases) undo.use(chart);
  say("life: the releases are ready");
  const checks: Check[] = [];
  const step: Life["step"] = async (what, parts) => {
    const failed = (error: unknown): readonly Check[] => [
      {
        subject: `life: ${what}`,
        column: "",
        problem: error instanceof Error ? error.message : String(error),
      },
    ];
    await Promise.all(parts.map(async (part) => checks.push(...(await part().catch(failed)))));
    say(`life: ${what}`);
  };
  const life = { cluster, telemetry, endpoint: other.endpoint, releases, checks, step };
  await change(life);
  await trouble(life);
  await closeShop(cluster);
  await step("manifests", [() => judgeManifests(cluster, releases[0].chart)]);
  return checks;
}

/** All that must lose no retransmit and count none twice. */
async function change({ cluster, telemetry, endpoint, releases, checks, step }: Life): Promise<void> {
  const since = await readAtRest(cluster, telemetry);
  await startShopLoss();
  await sleep(LOSS_MS);
  await moveCollector(telemetry);
  const each = (judge: (release: Release, endpoint: string) => Promise<readonly Check[]>) =>
    releases.map((release) => () => judge(release, endpoint));
  await step("upgraded", each(judgeUpgrade));
  await step("a bad tag", each(judgeBadTag));
  await endShopLoss();
  const judge = (told: readonly Told[]) =>
    releases.flatMap(({ place }, i) => judgeTold(place, since[i], told[i]));
  const now = await readAtRest(cluster, telemetry, (told) =>
    judge(told).every(({ problem }) => problem === undefined),
  );
  checks.push(...judge(now), judgeTwice(cluster.b, telemetry.sink.logs));
  await step("rights in the audit log", each(judgeAudit));
}

/** What an agent does not survive unharmed, up to its removal. */
async function trouble({ endpoint, releases: [onA, onB], step }: Life): Promise<void> {
  await startShopLoss();
  await step("rights lost, and a kill", [() => judgeLostRights(onA), () => judgeOomKill(onB)]);
  await step("drained", [() => judgeDrain(onA), () => judgeDrain(onB)]);
  await step("a Node deleted", [() => judgeNodeDeleted(onA, onB)]);
  await step("killed and removed", [
    async () => [
      ...(await judgeNoCapability(onA, endpoint)),
      ...(await judgeOomKill(onA)),
      ...(await judgeUninstallInCrashLoop(onA)),
    ],
    () => judgeUninstallInCrashLoop(onB),
  ]);
  await endShopLoss();
}

/** What the agent may is what it did, and all that it did is in the audit log. */
async function judgeAudit(release: Release): Promise<readonly Check[]> {
  const { cluster, chart, name, place } = release;
  const user = `system:serviceaccount:${chart.namespace}:${name}`;
  const requests = await readAuditLog(cluster.controlPlane.dir);
  return judgeRights(requests, { user, rules: await rulesOf(release), column: place.rung });
}

/** A second Collector, which forwards to the same places as the first. */
async function startOther(
  cluster: Cluster,
  { sink, prometheus }: ChartTelemetry,
  { labDir, say }: Pick<LifeOptions, "labDir" | "say">,
): Promise<AsyncDisposable & { readonly endpoint: string }> {
  const host = NODE_A.address.v4;
  const collector = await Collector.start(
    await goProgram(labDir, "otelcol", say),
    join(cluster.dir, "life-telemetry"),
    {
      host,
      plain: { grpc: OTHER.grpc, http: OTHER.http },
      metricsPort: OTHER.metrics,
      sinkPort: sink.port,
      prometheusUrl: prometheus.url,
    },
  );
  const endpoint = `http://${hostPort(host, OTHER.grpc)}`;
  return { endpoint, [Symbol.asyncDispose]: () => collector[Symbol.asyncDispose]() };
}

/** Another group's workloads have that name too. */
async function noShop({ api }: Cluster): Promise<void> {
  const isGone = async () =>
    !(await api.list("/api/v1/namespaces")).some(({ metadata }) => metadata.name === SHOP);
  await until("the end of other workloads", isGone, { timeoutMs: 180_000, everyMs: 500 });
}

/** As distributions do, and as a pod without `privileged` needs it. */
async function mountTracefs({ a }: Cluster): Promise<void> {
  const script = "mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing";
  await a.runner.exec([...a.entry, "sh", "-c", script]);
}
