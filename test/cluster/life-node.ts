import type { Received } from "../export/otlp/decode-otlp.ts";
import { until } from "../lab/cluster/until.ts";
import type { ChartAgent } from "./chart-agent.ts";
import { agentNow, podsOf, type Release, recordsFrom } from "./life-release.ts";
import { readRemains } from "./node-remains.ts";
import type { Check } from "./report.ts";
import { SHOP } from "./shop.ts";

/** Kubernetes ends the pods of a node that is no longer there after a minute or so. */
const ORPHANED_MS = 180_000;
const COVERED_MS = 60_000;

/**
 * Deletes a node's Node while its pods and another node's retransmit, and registers it again when its pods have been ended: agents
 * go on and name both ends all the time, and the node gets another agent.
 */
export async function judgeNodeDeleted(release: Release, other: Release): Promise<readonly Check[]> {
  const { cluster, chart, place } = release;
  const { name: node } = place.plan;
  const [old, elsewhere] = [await agentNow(chart), await agentNow(other.chart)];
  const { code, text } = await chart.shell(`kubectl delete node ${node} --wait=false`);
  if (code !== 0) throw new Error(`Cannot delete ${node}: ${text}`);
  const without = await Promise.all([named(release, old, node), named(other, elsewhere, node)]);
  const isGone = async () =>
    !(await podsOf(release)).some(({ metadata }) => metadata.uid === old.pod.metadata.uid);
  await until("the end of the deleted node's pods", isGone, { timeoutMs: ORPHANED_MS, everyMs: 500 });
  await cluster.registerAgain();
  const agent = await agentNow(chart);
  const again = await Promise.all([named(release, agent, node), named(other, elsewhere, node)]);
  const stayed = await agentNow(other.chart);
  return [
    ...without.map((check) => ({ ...check, subject: `without the Node, ${check.subject}` })),
    judgeAgain(release, old, agent),
    ...again.map((check) => ({ ...check, subject: `with the Node registered again, ${check.subject}` })),
    await judgeRemains(release),
    judgeStays(other, elsewhere, stayed),
    await judgeCovered(other, stayed),
  ];
}

/** Most records name a pod of the shop at both ends, one of them on the node; others are of calls that nobody answers. */
async function named(release: Release, agent: ChartAgent, node: string): Promise<Check> {
  const { name } = agent.pod.metadata;
  const { rung } = release.place;
  const subject = `the agent of ${release.place.plan.name} names both ends`;
  const records = await recordsFrom(release, name, 12).catch((error: Error) => error);
  if (records instanceof Error) return { subject, column: rung, problem: records.message };
  const both = records.filter((record) => isOfShop(record, "source") && isOfShop(record, "destination"));
  const onNode = both.filter(({ attributes }) =>
    ["source", "destination"].some((side) => attributes[`${side}.k8s.node.name`] === node),
  );
  const shown = `${both.length} of ${records.length}, ${onNode.length} with ${node} at an end`;
  const isRight = both.length > records.length / 2 && onNode.length === both.length;
  return { subject, column: rung, problem: isRight ? undefined : shown, shown };
}

function isOfShop({ attributes }: Received, side: "source" | "destination"): boolean {
  return (
    attributes[`${side}.k8s.namespace.name`] === SHOP &&
    attributes[`${side}.k8s.workload.kind`] === "Deployment"
  );
}

function judgeAgain({ place }: Release, old: ChartAgent, agent: ChartAgent): Check {
  const isNew = agent.pod.metadata.uid !== old.pod.metadata.uid;
  const subject = "a node that is registered again has a new agent, which is ready";
  return { subject, column: place.rung, problem: isNew ? undefined : "it is the same pod" };
}

async function judgeRemains({ place }: Release): Promise<Check> {
  const { agents } = await readRemains(place);
  const subject = "of the agent that was ended with the Node nothing is left";
  return { subject, column: place.rung, problem: agents.length === 1 ? undefined : agents.join(" ") };
}

function judgeStays({ place }: Release, before: ChartAgent, now: ChartAgent): Check {
  const restarts = ({ pod }: ChartAgent) => pod.status.containerStatuses?.[0]?.restartCount;
  const isSame = now.pod.metadata.uid === before.pod.metadata.uid && restarts(now) === restarts(before);
  const problem = isSame ? undefined : `${now.pod.metadata.name} has started ${restarts(now)} times more`;
  return {
    subject: "another node's Node deleted and registered again, the agent goes on",
    column: place.rung,
    problem,
  };
}

/** By the agent's own numbers, of one reading. */
async function judgeCovered({ place }: Release, agent: ChartAgent): Promise<Check> {
  let shown = "";
  const isCovered = async () => {
    const [seen, kernel] = await agent.sums([
      "tcpretrans_segments_seen_total",
      "tcpretrans_segments_kernel_total",
    ]);
    shown = `${seen} of ${kernel}`;
    return seen === kernel && seen > 0;
  };
  const problem = await until("coverage", isCovered, { timeoutMs: COVERED_MS, everyMs: 500 }).then(
    () => undefined,
    () => shown,
  );
  return { subject: "and its coverage is 1", column: place.rung, problem, shown };
}
