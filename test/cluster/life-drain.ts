import { agentNow, type Release, recordsFrom } from "./life-release.ts";
import type { Check } from "./report.ts";
import { SHOP } from "./shop.ts";

/** Drains the node as an administrator does, and lets it be scheduled on again: the agent stays, and sees what comes back. */
export async function judgeDrain(release: Release): Promise<readonly Check[]> {
  const { cluster, chart, place } = release;
  const { name: node } = place.plan;
  const before = (await agentNow(chart)).pod;
  const drained = await chart.shell(`kubectl drain ${node} --ignore-daemonsets --force --timeout=120s`);
  const left = await cluster.api.list(`/api/v1/namespaces/${SHOP}/pods?fieldSelector=spec.nodeName=${node}`);
  const during = (await agentNow(chart)).pod;
  const problems = [
    ...(drained.code === 0 && /evicting pod/.test(drained.text)
      ? []
      : [`kubectl drain says ${drained.text}`]),
    ...(left.length === 0 ? [] : [`${left.map(({ metadata }) => metadata.name)} are there still`]),
    ...(during.metadata.uid === before.metadata.uid ? [] : ["it is another pod"]),
  ];
  const { code, text } = await chart.shell(`kubectl uncordon ${node}`);
  if (code !== 0) throw new Error(`Cannot uncordon ${node}: ${text}`);
  const again = await recordsFrom(release, before.metadata.name).then(
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
