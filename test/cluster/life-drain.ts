import { agentNow, type Release, recordsFrom } from "./life-release.ts";
import type { Check } from "./report.ts";
import { SHOP } from "./shop.ts";

/** Drains the node as an administrator does, and lets it be scheduled on again: the agent stays, and sees what comes back. */
export async function judgeDrain(release: Release): Promise<readonly Check[]> {
  const { cluster, chart, place } = release;
  const { name: node } = place.plan;
  const agent = (await agentNow(chart)).pod;
  const path = `/api/v1/namespaces/${SHOP}/pods?fieldSelector=spec.nodeName=${node}`;
  const workloads = (await cluster.api.list(path)).map(({ metadata }) => metadata.uid);
  const { code: drained, text: said } = await chart.shell(
    `kubectl drain ${node} --ignore-daemonsets --force --timeout=120s`,
  );
  // They tolerate every taint, and may be there again already.
  const left = (await cluster.api.list(path)).filter(({ metadata }) => workloads.includes(metadata.uid));
  const during = (await agentNow(chart)).pod;
  const problems = [
    ...(drained === 0 && workloads.length > 0 ? [] : [`kubectl drain says ${said}`]),
    ...left.map(({ metadata }) => `${metadata.name} is there still`),
    ...(during.metadata.uid === agent.metadata.uid ? [] : ["it is another pod"]),
  ];
  const { code, text } = await chart.shell(`kubectl uncordon ${node}`);
  if (code !== 0) throw new Error(`Cannot uncordon ${node}: ${text}`);
  const again = await recordsFrom(release, agent.metadata.name).then(
    (records) => ({ problem: undefined, shown: `${records.length} records` }),
    (error: Error) => ({ problem: error.message }),
  );
  return [
    {
      subject: "a drained node keeps its agent, which stays ready",
      column: place.rung,
      problem: problems.join("; ") || undefined,
    },
    { subject: "the same agent captures when pods are back on the node", column: place.rung, ...again },
  ];
}
