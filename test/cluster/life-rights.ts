import type { Received } from "../export/otlp/decode-otlp.ts";
import { until } from "../lab/cluster/until.ts";
import type { ChartAgent } from "./chart-agent.ts";
import type { RoleRule } from "./granted-rights.ts";
import { agentNow, podIs, podsOf, type Release, recordsFrom } from "./life-release.ts";
import type { Check } from "./report.ts";

/** A resource that an agent may not read, and what its records lack without it. */
interface Right {
  readonly resource: string;
  readonly verbs: string;
  readonly lacks: string;
  readonly has: ((record: Received) => boolean) | undefined;
}

const hasAny =
  (...keys: readonly string[]) =>
  ({ attributes }: Received) =>
    keys.some((key) => attributes[key] !== undefined);

const RIGHTS: readonly Right[] = [
  {
    resource: "pods",
    verbs: '"list" and "watch"',
    lacks: "pods' names",
    has: hasAny("source.k8s.pod.name", "destination.k8s.pod.name"),
  },
  {
    resource: "services",
    verbs: '"list" and "watch"',
    lacks: "services' names",
    has: hasAny("destination.k8s.service.name"),
  },
  // Backends come from connection tracking too; only pods on the node's network are found by these alone.
  { resource: "endpointslices", verbs: '"list" and "watch"', lacks: "nothing between pods", has: undefined },
  {
    resource: "nodes",
    verbs: '"list"',
    lacks: "zones",
    has: hasAny("source.cloud.availability_zone", "destination.cloud.availability_zone"),
  },
];

const ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles";

/** Path of a release's ClusterRole. */
export function roleOf({ chart, name }: Release): string {
  return `${ROLES}/${name}-${chart.namespace}`;
}

/** The rules of a release's ClusterRole. */
export async function rulesOf(release: Release): Promise<readonly RoleRule[]> {
  return (await release.cluster.api.get<{ rules: readonly RoleRule[] }>(roleOf(release))).rules;
}

/**
 * Takes each resource out of the ClusterRole in turn, starts the agent anew, for open watches go on without permission, and
 * gives it back. Packets must be lost all the while.
 */
export async function judgeLostRights(release: Release): Promise<readonly Check[]> {
  const all = await rulesOf(release);
  const checks: Check[] = [];
  for (const right of RIGHTS) {
    const rest = all.map((rule) => ({
      ...rule,
      resources: rule.resources.filter((resource) => resource !== right.resource),
    }));
    await setRules(
      release,
      rest.filter(({ resources }) => resources.length > 0),
    );
    try {
      checks.push(await judgeWithout(release, right));
    } finally {
      await setRules(release, all);
    }
    checks.push(await judgeBack(release, right));
  }
  return checks;
}

async function setRules({ cluster, ...release }: Release, rules: readonly RoleRule[]): Promise<void> {
  await cluster.api.patch(roleOf({ cluster, ...release }), { rules });
}

async function judgeWithout(release: Release, right: Right): Promise<Check> {
  const { chart, name, place } = release;
  await startAnew(release);
  const agent = await agentNow(chart);
  const user = `system:serviceaccount:${chart.namespace}:${name}`;
  const group = right.resource === "endpointslices" ? `${right.resource}.discovery.k8s.io` : right.resource;
  const sentence = `grant ${right.verbs} on ${group} to ${user}`;
  const problems: string[] = [];
  const expect = (is: boolean, otherwise: string) => void (is || problems.push(otherwise));
  const records = await recordsFrom(release, agent.pod.metadata.name, 8);
  const [part = ""] = (await readyLines(agent)).filter((line) =>
    line.startsWith(`names: ${right.resource}: `),
  );
  expect(
    part.startsWith(`names: ${right.resource}: degraded: `) && part.includes(sentence),
    `/readyz: ${part}`,
  );
  const said = (await agent.readLog())
    .split("\n")
    .filter((line) => line.includes(JSON.stringify(sentence).slice(1, -1)));
  expect(said.length === 1, `the log says it ${said.length} times`);
  const metrics = await agent.metricsText();
  const synced = new RegExp(
    `^tcpretrans_watch_synced{[^}]*tcpretrans_resource="${right.resource}"[^}]*} (.*)`,
    "m",
  );
  const [, value] = synced.exec(metrics) ?? [];
  expect(value === "0", `tcpretrans_watch_synced is ${value}`);
  const withIt = records.filter((record) => right.has?.(record) === true).length;
  expect(withIt === 0, `${withIt} of ${records.length} records have it all the same`);
  return {
    subject: `without ${right.verbs.replaceAll('"', "")} on ${right.resource} the agent is ready, says what to grant, captures, and lacks ${right.lacks}`,
    column: place.rung,
    problem: problems.join("; ") || undefined,
    shown: `${records.length} records`,
  };
}

async function judgeBack(release: Release, right: Right): Promise<Check> {
  const { chart, place } = release;
  const agent = await agentNow(chart);
  let problem: string | undefined;
  const isOk = async () => {
    const lines = await readyLines(agent);
    problem = lines.find((line) => line.startsWith(`names: ${right.resource}: `));
    return problem?.startsWith(`names: ${right.resource}: ok`) === true;
  };
  const recovered = await until("the right to be used", isOk, { timeoutMs: 60_000, everyMs: 500 }).catch(
    () => false,
  );
  const { has } = right;
  if (recovered && has !== undefined) {
    const found = await until(
      "records with it",
      async () => (await recordsFrom(release, agent.pod.metadata.name, 4)).some(has),
      { timeoutMs: 60_000 },
    ).catch(() => false);
    problem = found ? undefined : `records have no ${right.lacks} afterwards`;
  } else if (recovered) problem = undefined;
  return {
    subject: `given back, ${right.resource} are known again without a restart`,
    column: place.rung,
    problem,
  };
}

/** Deletes its pod, and waits for the next one's to be there. */
async function startAnew(release: Release): Promise<void> {
  const { cluster, chart } = release;
  const [old] = await podsOf(release);
  const path = `/api/v1/namespaces/${chart.namespace}/pods`;
  await cluster.api.delete(`${path}/${old?.metadata.name}`);
  await podIs(release, "another pod", ({ metadata }) => metadata.uid !== old?.metadata.uid);
}

async function readyLines(agent: ChartAgent): Promise<readonly string[]> {
  return (await agent.ask("/readyz")).split("\n");
}
