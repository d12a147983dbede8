import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ATTRIBUTES as KEYS } from "../../src/export/attributes.ts";
import { AgentProgram, type Row, sentRows, sumOf } from "../support/agent-program.ts";
import { LossyLink } from "../support/lossy-link.ts";
import { decodeMetrics } from "../support/otlp-metrics.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../support/otlp-receiver.ts";
import { Program } from "../support/program.ts";

const PORT = 7001;
let link: LossyLink;
let receiver: OtlpReceiver;

before(async () => {
  link = await LossyLink.open({
    ports: [PORT],
    atServer: [`tcp dport ${PORT} meta length > 200 numgen random mod 100 < 20 drop`],
  });
  receiver = await startOtlpReceiver();
});

after(async () => {
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

/** Segments by the last metrics that each pod has sent. */
function segmentsSent(): number {
  const last = new Map<unknown, number>();
  for (const { path, body } of receiver.requests) {
    if (path !== "/v1/metrics") continue;
    for (const { resource, scopes } of decodeMetrics(body)) {
      const points = scopes
        .flatMap(({ metrics }) => metrics)
        .filter(({ name }) => name === "tcp.retransmit.segments")
        .flatMap((metric) => metric.points);
      last.set(
        resource["k8s.pod.name"],
        points.reduce((sum, { int = 0n }) => sum + Number(int), 0),
      );
    }
  }
  return [...last.values()].reduce((sum, segments) => sum + segments, 0);
}

test("tcpretrans agent that replaces another counts from the moment at which that ends: no event twice, none missing", async (t) => {
  await using terminal = await Program.tracing(["--json", "-l"]);
  const stop = new AbortController();
  const storming = (async () => {
    while (!stop.signal.aborted) {
      await link.ask({ host: link.address("ipv4"), port: PORT, connections: 8, bytes: 60_000 });
    }
  })();
  await using undo = new AsyncDisposableStack();
  const agents: AgentProgram[] = [undo.use(await agentOf("agent-0"))];
  // Of the storm, what runs before the first agent captures is nobody's.
  const HANDOVERS = 5;
  for (let i = 1; i <= HANDOVERS; i++) {
    const newer = undo.use(await agentOf(`agent-${i}`));
    const told = await newer.ask("readyz");
    assert.equal(told.status, 200);
    assert.ok(told.lines.some((line) => line.startsWith("handover: ok: It captures, and counts from when")));
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
  const all = agents.flatMap(({ rows }) => [...sentRows(ofLink(rows))]);
  const [first] = all;
  const rows: readonly Row[] = terminal.lines.map((line) => JSON.parse(line));
  const key = (row: Row) => `${row[KEYS.sourcePort]} ${row[KEYS.destinationPort]}`;
  const seen = sentRows(ofLink(rows));
  // Each instance has its own times, a microsecond apart: the first event is found by its connection.
  const from = seen.findIndex((row) => first !== undefined && key(row) === key(first));
  const missing = seen.length - from - all.length;
  t.diagnostic(
    `${all.length} retransmits over ${HANDOVERS} handovers, ${missing} missing or (below 0) twice`,
  );
  assert.ok(all.length > 500, `${all.length} retransmits`);
  assert.ok(Math.abs(missing) <= 1, `${missing} missing, or (below 0) twice`);
  assert.equal(segmentsSent(), agents.flatMap((agent) => sentRows(agent.rows)).length);
});

test("tcpretrans agent that waits for one that is killed counts within a second", async () => {
  await using older = await agentOf("agent-a");
  await using newer = await agentOf("agent-b");
  await older.stop("SIGKILL");
  await newer.says(/The agent before has ended: this one counts/, 3);
  await link.ask({ host: link.address("ipv4"), port: PORT, connections: 2, bytes: 60_000 });
  await newer.program.until(() => sentRows(newer.rows).length > 0, "prints rows");
  assert.ok(sumOf(await newer.metrics(), "tcp_retransmit_segments_total") > 0);
  await newer.stop();
});
