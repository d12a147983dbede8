import type { NodePlace } from "../lab/cluster/cluster.ts";
import { CLUSTER_RANGE, LINK_RANGE, NESTED_LINK, SIBLING_LINK } from "../lab/cluster/plan.ts";
import type { NamedLine } from "./named-line.ts";

/** A tcpretrans that watches a node of the cluster, whatever its command. */
export interface NodeWatch {
  readonly place: NodePlace;
  /** Of its process, on its node's machine. */
  readonly pid: number;
  /** Waits, while events come, until it has names; gives the seconds that it took. */
  awaitNames(): Promise<number>;
  /** Events that it showed since it had names. */
  lines(): readonly NamedLine[];
  /** What it said beside them. */
  messages(): string;
  stop(): Promise<void>;
}

/** Emulated, its start takes many times as long. */
export const READY_MS = 300_000;

/** Of the cluster, on every node: how names are found. */
export function namingFlags({ plan }: NodePlace, kubeconfig: string): readonly string[] {
  const all = [LINK_RANGE, NESTED_LINK.range, SIBLING_LINK.range, CLUSTER_RANGE];
  const ranges = all.flatMap(({ v4, v6 }) => [v4, v6]);
  return [
    `--kubeconfig=${kubeconfig}`,
    `--node-name=${plan.name}`,
    ...ranges.map((range) => `--cluster-cidr=${range}`),
  ];
}

/** Emulated, a node's own programs leave too little of its processors; on a real one this is not the question. */
export function inNode({ entry, rung }: NodePlace): readonly [string, ...string[]] {
  return [...entry, "nice", "-n", rung === "kprobe" ? "-19" : "0"];
}
