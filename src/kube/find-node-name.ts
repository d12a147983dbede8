import type { ApiClient } from "./api-client.ts";
import { SYSTEM_CLOCK } from "./clock.ts";
import { listPages } from "./list-pages.ts";
import { ProblemLog } from "./problem-log.ts";
import { projectNode } from "./project-node.ts";
import { newFeedCounters } from "./resource-feed.ts";
import type { SlimNode } from "./slim.ts";

export interface FindNodeOptions {
  readonly client: ApiClient;
  readonly hostname: string;
  readonly isHostAddress: (address: string) => boolean;
  /** How long the answer may take. */
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

/** This node's name in Kubernetes, or in one sentence why it is not to be had. */
export type FoundNode =
  | { readonly kind: "found"; readonly name: string }
  | { readonly kind: "not-found"; readonly sentence: string };

/** Asks the API server once which node this host is: the one with an address of this host, else the one with its name. */
export async function findNodeName({
  client,
  hostname,
  isHostAddress,
  withinMs,
  signal,
}: FindNodeOptions): Promise<FoundNode> {
  const nodes: SlimNode[] = [];
  const feed = {
    client,
    clock: SYSTEM_CLOCK,
    problems: new ProblemLog({ say: () => {}, clock: SYSTEM_CLOCK }),
    path: "/api/v1/nodes",
    project: projectNode,
    counters: newFeedCounters(),
    sink: {
      replaceBegin: () => void nodes.splice(0),
      upsert: (node: SlimNode) => void nodes.push(node),
      remove: () => {},
      replaceEnd: () => {},
    },
  };
  const tooLate = AbortSignal.timeout(withinMs);
  const end = await listPages(feed, {
    ...{ verbs: ["list"], limit: undefined, resourceVersion: "0" },
    signal: AbortSignal.any([signal, tooLate]),
  });
  if (end.kind === "problem") {
    const { kind, sentence } = end.problem;
    if (kind !== "stopped" || !tooLate.aborted) return { kind: "not-found", sentence };
    const seconds = withinMs / 1000;
    const late = `The API server at ${client.server} does not answer within ${seconds} s`;
    return { kind: "not-found", sentence: late };
  }
  const byAddress = nodes.filter(({ addresses }) => addresses.some(isHostAddress));
  const byName = nodes.filter(({ name }) => name === hostname.toLowerCase());
  const [only, ...others] = byAddress.length > 0 ? byAddress : byName;
  if (only !== undefined && others.length === 0) return { kind: "found", name: only.name };
  const which = byAddress.map(({ name }) => name).join(", ");
  if (byAddress.length > 1)
    return { kind: "not-found", sentence: `Several nodes have its addresses: ${which}` };
  return {
    kind: "not-found",
    sentence: `None of ${nodes.length} nodes has its addresses or is called ${hostname}`,
  };
}
