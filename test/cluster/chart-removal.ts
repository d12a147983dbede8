import { nodeMark, parseInstanceName } from "../../src/tracefs/names.ts";
import type { NodePlace } from "../lab/cluster/cluster.ts";
import { until } from "../lab/cluster/until.ts";
import type { InstalledChart } from "./installed-chart.ts";
import type { Check } from "./report.ts";

/** Instances and probes of a tcpretrans that there are in the kernel of each node. */
export type Traces = ReadonlyMap<NodePlace, readonly string[]>;

/** Through a mount of its own: a node need not have any. */
const READ = `
dir=$(mktemp -d)
mount -t tracefs lab "$dir"
ls "$dir/instances"
cat "$dir/dynamic_events" "$dir/kprobe_events" 2>/dev/null || true
umount "$dir"
rmdir "$dir"`;
const PATIENCE_MS = 60_000;

/** Reads what there is before the chart is installed. */
export async function readTraces(places: readonly NodePlace[]): Promise<Traces> {
  return new Map(await Promise.all(places.map(async (place) => [place, await readKernel(place)] as const)));
}

/** Finds nothing of the uninstalled chart in a kernel or in its namespace. */
export async function judgeRemoval(chart: InstalledChart, before: Traces): Promise<readonly Check[]> {
  const kernels = [...before].map(async ([place, had]): Promise<Check> => {
    const left = (await readKernel(place)).filter((line) => !had.includes(line));
    const problem = left.length === 0 ? undefined : left.join("; ");
    return { subject: "helm uninstall leaves nothing in the kernel", column: place.rung, problem };
  });
  let left = "";
  const isEmpty = async () => {
    const { text } = await chart.shell(
      `kubectl -n ${chart.namespace} get all,configmaps,secrets,serviceaccounts,roles,rolebindings -o name`,
    );
    left = text
      .split("\n")
      .filter((line) => line !== "" && !OF_KUBERNETES.includes(line))
      .join(" ");
    return left === "";
  };
  const problem = await until("an empty namespace", isEmpty, { timeoutMs: PATIENCE_MS, everyMs: 500 }).then(
    () => undefined,
    () => left,
  );
  const subject = "helm uninstall leaves nothing in the namespace";
  return [...(await Promise.all(kernels)), { subject, column: "", problem }];
}

/** What each namespace has. */
const OF_KUBERNETES = ["configmap/kube-root-ca.crt", "serviceaccount/default"];

async function readKernel({ plan, runner, entry }: NodePlace): Promise<readonly string[]> {
  const text = await runner.exec([...entry, "sh", "-ec", READ]);
  // An agent of another name on this kernel is not the chart's: this machine may run other tests.
  const isOfNode = (line: string) => {
    const agent = parseInstanceName(line)?.agent;
    return agent === undefined || agent.node === nodeMark(plan.name);
  };
  return text.split("\n").filter((line) => line.includes("tcpretrans") && isOfNode(line));
}
