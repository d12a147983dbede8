import { run } from "../run.ts";
import { OUTSIDE, WIRE } from "./plan.ts";
import type { ProgramRunner } from "./program-runner.ts";

/** The ports on whose packets loss falls; the API server, kubelets and the test's own never see any. */
export interface LossPorts {
  readonly low: number;
  readonly high: number;
}

const TABLE = "tcpretrans_loss";

/**
 * Loses a share of TCP packets between the nodes. It falls in the namespace of the wire: behind the connection
 * tracking of the node that sends, so that an entry is confirmed even of a SYN that is lost.
 */
export async function loseOnWire(percent: number, ports: LossPorts): Promise<void> {
  const chain = "type filter hook forward priority 0;";
  await nft(["ip", "netns", "exec", WIRE.netns], lossTable("bridge", { chain, match: "", percent, ports }));
}

export async function loseOutside(percent: number, ports: LossPorts): Promise<void> {
  const chain = "type filter hook prerouting priority 0;";
  await nft(["ip", "netns", "exec", OUTSIDE.netns], lossTable("inet", { chain, match: "", percent, ports }));
}

/** Loses packets that stay on one node, where its connection tracking has confirmed them already. */
export async function loseOnNode(
  node: Pick<ProgramRunner, "exec">,
  percent: number,
  ports: LossPorts,
): Promise<void> {
  const chain = "type filter hook prerouting priority 0;";
  const match = "ct status confirmed";
  await node.exec(["nft", lossTable("inet", { chain, match, percent, ports })]);
}

export async function endLossOnWire(): Promise<void> {
  await nft(["ip", "netns", "exec", WIRE.netns], noTable("bridge"));
}

export async function endLossOutside(): Promise<void> {
  await nft(["ip", "netns", "exec", OUTSIDE.netns], noTable("inet"));
}

export async function endLossOnNode(node: Pick<ProgramRunner, "exec">): Promise<void> {
  await node.exec(["nft", noTable("inet")]);
}

function lossTable(
  family: "bridge" | "inet",
  loss: {
    readonly chain: string;
    readonly match: string;
    readonly percent: number;
    readonly ports: LossPorts;
  },
): string {
  const { low, high } = loss.ports;
  const lose = `numgen random mod 100 < ${loss.percent} counter drop`;
  const rules = ["sport", "dport"].map((end) => `tcp ${end} ${low}-${high} ${loss.match} ${lose}`);
  return `${noTable(family)}; table ${family} ${TABLE} { chain loss { ${loss.chain} ${rules.join("; ")}; }; }`;
}

/** Adding first makes that the table need not be there. */
function noTable(family: "bridge" | "inet"): string {
  return `add table ${family} ${TABLE}; delete table ${family} ${TABLE}`;
}

async function nft([program, ...before]: readonly [string, ...string[]], rules: string): Promise<void> {
  await run(program, [...before, "nft", rules]);
}
