import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { ATTRIBUTES as KEYS } from "../../src/export/attributes.ts";
import { AgentProgram, type Row, sentRows, sumOf } from "../support/agent-program.ts";
import { startOtlpReceiver } from "../support/otlp-receiver.ts";
import { segmentsReceived } from "../support/segments-received.ts";
import type { EndsGround } from "./ends-ground.ts";
import { until } from "./pair.ts";

/** An emulated processor is slow to start an agent. */
export const PATIENCE_S = 90;
const HANDOVERS = 2;
const KILLS = 3;
const PROBE = ["--probe", "kprobe"];

/** Agents of one node on kprobes, each replacing the one before while the kernel retransmits: no event is missing, and none counted twice. */
export async function agentReplaced(ground: EndsGround): Promise<void> {
  await using receiver = await startOtlpReceiver();
  await using undo = new AsyncDisposableStack();
  const start = async (pod: string) => {
    const to = ["--otlp-endpoint", receiver.url, "--otlp-protocol", "http/protobuf"];
    const env = { POD_NAMESPACE: "monitoring", POD_NAME: pod };
    const agent = undo.use(new AgentProgram([...PROBE, ...to, "--node-name", "replaced"], { env }));
    await agent.captures(PATIENCE_S);
    return agent;
  };
  await ground.quiet();
  const before = witnessed(ground);
  const agents = [await start("agent-0")];
  const stop = ground.flowing();
  undo.defer(stop);
  for (let i = 1; i <= HANDOVERS; i++) {
    const older = agents.at(-1);
    const newer = await start(`agent-${i}`);
    const { status, lines } = await newer.ask("readyz");
    assert.equal(status, 200, lines.join("; "));
    assert.ok(
      lines.some((line) => line.startsWith("handover: ok: It captures, and counts from when")),
      lines.join("; "),
    );
    assert.equal(ofGround(newer, ground).length, 0, "the newer one counts beside the older");
    assert.deepEqual(await older?.stop(), { code: 0, signal: null });
    await newer.says(/The agent before has ended: this one counts/, PATIENCE_S);
    await newer.program.until(() => ofGround(newer, ground).length > 0, "prints rows", PATIENCE_S);
    agents.push(newer);
  }
  await stop();
  await ground.quiet();
  assert.deepEqual(await agents.at(-1)?.stop(), { code: 0, signal: null });
  const told = agents.flatMap((agent) => ofGround(agent, ground)).length;
  const happened = witnessed(ground) - before;
  assert.ok(happened > 50, `${happened} retransmits`);
  // Each instance stamps an event by itself: one within a microsecond of the second may fall on either side. One that did
  // not get to look while the older one ended says how many seconds may be in neither.
  const unsure = agents.filter(({ log }) => log.some(({ msg }) => / s are in neither/.test(msg))).length;
  assert.ok(told <= happened + 1, `${told} printed, ${happened} witnessed`);
  if (unsure === 0) assert.ok(told >= happened - 1, `${told} printed, ${happened} witnessed`);
  const printed = agents
    .flatMap((agent) => sentRows(agent.rows))
    .reduce((sum, row) => sum + segmentsOf(row), 0);
  assert.equal(segmentsReceived(receiver.requests), printed, "segments in metrics and in events");
}

/** Agents that are killed while the kernel retransmits: the next one removes what they left, and its metrics begin anew. */
export async function agentKilled(ground: EndsGround): Promise<void> {
  const stop = ground.flowing();
  await using undo = new AsyncDisposableStack();
  undo.defer(stop);
  let left: readonly string[] = [];
  for (let kill = 0; kill <= KILLS; kill++) {
    await using agent = new AgentProgram([...PROBE, "--node-name", "killed"]);
    await agent.captures(PATIENCE_S);
    const { instance } = agent.program;
    assert.deepEqual(
      ground.ours().filter((name) => left.includes(name)),
      [],
      "left by the one before",
    );
    await agent.program.until(() => ofGround(agent, ground).length > 0, "prints rows", PATIENCE_S);
    const segments = () => sentRows(agent.rows).reduce((sum, row) => sum + segmentsOf(row), 0);
    const counted = sumOf(await agent.metrics(), "tcp_retransmit_segments_total");
    // Rows of the scrape's own tick may still be on their way.
    await until("as many segments in rows as were counted", () => segments() >= counted);
    assert.ok(counted > 0, "nothing was counted");
    left = ground.ours();
    assert.ok(left.length > 5, `left to be removed: ${left.join(" ")}`);
    assert.deepEqual(await agent.stop(kill < KILLS ? "SIGKILL" : "SIGTERM"), {
      code: kill < KILLS ? null : 0,
      signal: kill < KILLS ? "SIGKILL" : null,
    });
    assert.equal(existsSync(instance), kill < KILLS, instance);
  }
}

function witnessed({ foreign, pair }: EndsGround): number {
  return foreign.sent(pair.place.port).length;
}

/** Retransmits of the ground's connection that an agent has printed. */
function ofGround(agent: AgentProgram, { pair }: EndsGround): readonly Row[] {
  const { port } = pair.place;
  return sentRows(agent.rows).filter((row) =>
    [row[KEYS.sourcePort], row[KEYS.destinationPort]].includes(port),
  );
}

function segmentsOf(row: Row): number {
  return Number(row[KEYS.segments] ?? 1);
}
