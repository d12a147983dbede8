import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readAuditLog } from "../lab/cluster/audit-log.ts";
import type { Cluster } from "../lab/cluster/cluster.ts";
import { goProgram } from "../lab/cluster/go-tools.ts";
import { hostPort, NODE_A } from "../lab/cluster/plan.ts";
import { until } from "../lab/cluster/until.ts";
import { Collector } from "../lab/telemetry/collector.ts";
import { ChartTelemetry } from "./chart-telemetry.ts";
import { judgeRights } from "./granted-rights.ts";
import { judgeBadTag, judgeUpgrade, moveCollector } from "./life-changes.ts";
import { judgeTold, judgeTwice, readAtRest } from "./life-counts.ts";
import { judgeOomKill, judgeUninstallInCrashLoop } from "./life-deaths.ts";
import { judgeDrain } from "./life-drain.ts";
import { judgeManifests } from "./life-manifests.ts";
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

/**
 * What happens to the installed chart over its life: a release on each node, so that the emulated one does not hold up the other,
 * is upgraded, meets a bad image, loses rights, is drained, killed, and removed; then the manifests on both nodes at once.
 */
export async function testLife(
  cluster: Cluster,
  log: TrafficLog,
  { labDir, archive, say }: LifeOptions,
): Promise<readonly Check[]> {
  await using telemetry = await ChartTelemetry.start(cluster, labDir, say);
  await using other = await startOther(cluster, telemetry, { labDir, say });
  const checks: Check[] = [];
  const step = async (what: string, steps: readonly (() => Promise<readonly Check[]>)[]) => {
    await Promise.all(
      steps.map(async (one) => checks.push(...(await one().catch((error) => failed(what, error))))),
    );
    say(`life: ${what}`);
  };
  const helm = await goProgram(labDir, "helm3", say);
  await noShop(cluster);
  await mountTracefs(cluster);
  const [releases] = await Promise.all([
    Promise.all(
      [cluster.a, cluster.b].map((place) => installRelease(cluster, place, { telemetry, helm, archive })),
    ),
    openShop(cluster, log),
  ]);
  await using undo = new AsyncDisposableStack();
  for (const { chart } of releases) undo.use(chart);
  say("life: the releases are ready");
  const [onA, onB] = releases as [Release, Release];
  const since = await readAtRest(cluster, telemetry);
  await startShopLoss();
  await step("the Collector is back", [
    async () => {
      await sleep(LOSS_MS);
      await moveCollector(telemetry);
      return [];
    },
  ]);
  await step(
    "upgraded",
    releases.map((release) => () => judgeUpgrade(release, other.endpoint)),
  );
  await step(
    "a bad tag",
    releases.map((release) => () => judgeBadTag(release, other.endpoint)),
  );
  await endShopLoss();
  const isRight = (told: readonly Awaited<typeof since>[number][]) =>
    told.every((now, i) => judgeTold(cluster.a, since[i], now).every(({ problem }) => problem === undefined));
  const now = await readAtRest(cluster, telemetry, isRight);
  for (const [i, { place }] of releases.entries())
    checks.push(...judgeTold(place, since[i], now[i]), judgeTwice(place, telemetry.sink.logs));
  await step(
    "rights in the audit log",
    releases.map((release) => () => judgeAudit(release)),
  );
  await startShopLoss();
  await step("rights lost and a kill", [() => judgeLostRights(onA), () => judgeOomKill(onB)]);
  await step("drained", [() => judgeDrain(onA)]);
  await step("killed and removed", [
    async () => [...(await judgeOomKill(onA)), ...(await judgeUninstallInCrashLoop(onA))],
    () => judgeUninstallInCrashLoop(onB),
  ]);
  await endShopLoss();
  await closeShop(cluster);
  await step("manifests", [() => judgeManifests(cluster, onA.chart)]);
  return checks;
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

function failed(what: string, error: unknown): readonly Check[] {
  const problem = error instanceof Error ? error.message : String(error);
  return [{ subject: `life: ${what}`, column: "", problem }];
}
