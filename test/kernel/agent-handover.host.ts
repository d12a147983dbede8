import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { ATTRIBUTES as KEYS } from "../../src/export/attributes.ts";
import { AgentProgram, type Row, sentRows, sumOf } from "../support/agent-program.ts";
import { LossyLink } from "../support/lossy-link.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../support/otlp-receiver.ts";
import { Program } from "../support/program.ts";
import { segmentsReceived } from "../support/segments-received.ts";

const PORT = 7001;
let link: LossyLink;
let receiver: OtlpReceiver;

beforeEach(async () => {
  const atServer = [`tcp dport ${PORT} meta length > 200 numgen random mod 100 < 20 drop`];
  link = await LossyLink.open({ ports: [PORT], atServer });
  receiver = await startOtlpReceiver();
});

afterEach(async () => {
  await link[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

/** An agent in a pod of that name, as of a DaemonSet's rolling update. */
async function agentOf(pod: string): Promise<AgentProgram> {
  const to = ["--otlp-endpoint", receiver.url, "--otlp-protocol", "http/protobuf"];
  return await AgentProgram.capturing([...to, "--node-name", "handover"], {
    env: { POD_NAMESPACE: "monitoring", POD_NAME: pod },
  });
}

function ofLink(rows: readonly Row[]): readonly Row[] {
  return rows.filter((row) => link.has(String(row[KEYS.sourceAddress])));
}

test("tcpretrans agent that replaces another counts from the moment at which that ends: no event twice, none missing", async (t) => {
  await using terminal = await Program.tracing(["--json", "-l"]);
  await using undo = new AsyncDisposableStack();
  const agents: AgentProgram[] = [undo.use(await agentOf("agent-0"))];
  const stop = new AbortController();
  undo.defer(() => stop.abort());
  const storming = (async () => {
    while (!stop.signal.aborted) {
      await link.ask({ host: link.address("ipv4"), port: PORT, connections: 8, bytes: 60_000 });
    }
  })();
  const HANDOVERS = 5;
  for (let i = 1; i <= HANDOVERS; i++) {
    const newer = undo.use(await agentOf(`agent-${i}`));
    const { status, lines } = await newer.ask("readyz");
    assert.equal(status, 200);
    assert.ok(lines.some((line) => line.startsWith("handover: ok: It captures, and counts from when")));
    assert.deepEqual(await agents.at(-1)?.stop(), { code: 0, signal: null });
    await newer.says(/The agent before has ended: this one counts/);
    agents.push(newer);
  }
  stop.abort();
  await storming;
  await link.quiet();
  const last = agents.at(-1);
  assert.deepEqual(await last?.stop(), { code: 0, signal: null });
  await terminal.stop();
  const told = agents.flatMap(({ rows }) => [...sentRows(ofLink(rows))]);
  const seen = sentRows(ofLink(terminal.lines.map((line) => JSON.parse(line))));
  assert.equal(seen.length, link.count("RetransSegs"));
  const missing = seen.length - told.length;
  t.diagnostic(
    `${told.length} retransmits over ${HANDOVERS} handovers, ${missing} missing or (below 0) twice`,
  );
  assert.ok(told.length > 500, `${told.length} retransmits`);
  // Each instance stamps an event by itself: one within a microsecond of the second may fall on either side.
  assert.ok(Math.abs(missing) <= 1, `${missing} missing, or (below 0) twice`);
  assert.equal(segmentsReceived(receiver.requests), agents.flatMap((agent) => sentRows(agent.rows)).length);
});

test("tcpretrans agent that waits for one that is killed counts within a second", async () => {
  await using older = await agentOf("agent-a");
  await using newer = await agentOf("agent-b");
  await older.stop("SIGKILL");
  // One that only hangs would be waited for for 5 s.
  await newer.says(/The agent before has ended: this one counts/, 4.5);
  await link.ask({ host: link.address("ipv4"), port: PORT, connections: 2, bytes: 60_000 });
  await newer.program.until(() => sentRows(newer.rows).length > 0, "prints rows");
  assert.ok(sumOf(await newer.metrics(), "tcp_retransmit_segments_total") > 0);
  await newer.stop();
});
