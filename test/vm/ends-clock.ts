import assert from "node:assert/strict";
import { ATTRIBUTES as KEYS } from "../../src/export/attributes.ts";
import { decodeRequest } from "../export/otlp/decode-otlp.ts";
import { run } from "../lab/run.ts";
import { AgentProgram, type Row, sentRows, sumOf } from "../support/agent-program.ts";
import { decodeMetrics } from "../support/otlp-metrics.ts";
import { type ReceivedRequest, startOtlpReceiver } from "../support/otlp-receiver.ts";
import { segmentsReceived } from "../support/segments-received.ts";
import { PATIENCE_S } from "./ends-agent.ts";
import type { EndsGround } from "./ends-ground.ts";

/** The wall clock is set forth, further back than it was, and right again. */
const STEPS_S = [3600, -7200, 3600];
/** How long after its event a record may claim that it was: `date` sets whole seconds, and the agent looks once a second. */
const SLACK_S = 5;

/** The wall clock of the machine is set back and forth under an agent: it is noticed and counted, and what is counted stays right. */
export async function clockSet(ground: EndsGround): Promise<void> {
  await using receiver = await startOtlpReceiver();
  const beganMs = { unix: Date.now(), monotonic: performance.now() };
  const to = ["--otlp-endpoint", receiver.url, "--otlp-protocol", "http/protobuf"];
  const often = ["--metrics-interval-seconds", "1", "--node-name", "clock"];
  await using agent = new AgentProgram(["--probe", "kprobe", ...to, ...often]);
  await agent.captures(PATIENCE_S);
  const stop = ground.flowing();
  await using undo = new AsyncDisposableStack();
  undo.defer(stop);
  const offsets = [0];
  for (const [i, seconds] of STEPS_S.entries()) {
    await showsMore(agent);
    undo.defer(() => setClock(beganMs, 0));
    offsets.push((offsets.at(-1) ?? 0) + seconds);
    await setClock(beganMs, offsets.at(-1) ?? 0);
    const giveUp = performance.now() + PATIENCE_S * 1000;
    while (sumOf(await agent.metrics(), "tcpretrans_clock_steps_total") <= i) {
      assert.ok(performance.now() < giveUp, `step ${i + 1} of the clock is not counted`);
    }
    assert.equal((await agent.ask("livez")).status, 200);
  }
  await showsMore(agent);
  await stop();
  await ground.quiet();
  assert.deepEqual(await agent.stop(), { code: 0, signal: null });
  const segments = sentRows(agent.rows).reduce((sum, row) => sum + segmentsOf(row), 0);
  assert.equal(segmentsReceived(receiver.requests), segments, "segments in metrics and in events");
  assertOnScales(receiver.requests, { beganMs, offsets: [...new Set(offsets)] });
  assertRising(receiver.requests);
}

interface Began {
  readonly unix: number;
  readonly monotonic: number;
}

/** Sets the wall clock to what it would show, and so many seconds more. */
async function setClock({ unix, monotonic }: Began, offsetSeconds: number): Promise<void> {
  const ms = unix + (performance.now() - monotonic) + offsetSeconds * 1000;
  await run("date", ["-s", `@${Math.round(ms / 1000)}`]);
}

async function showsMore(agent: AgentProgram): Promise<void> {
  const { length } = sentRows(agent.rows);
  await agent.program.until(() => sentRows(agent.rows).length > length + 3, "prints more rows", PATIENCE_S);
}

function segmentsOf(row: Row): number {
  return Number(row[KEYS.segments] ?? 1);
}

/** Each record has the time of one of the clocks that there were, and each of these has some. */
function assertOnScales(
  requests: readonly ReceivedRequest[],
  { beganMs, offsets }: { readonly beganMs: Began; readonly offsets: readonly number[] },
): void {
  const times = requests
    .filter(({ path }) => path === "/v1/logs")
    .flatMap(({ body }) => decodeRequest("logs", body))
    .map(({ times: [time = 0n] }) => Number(time / 1_000_000n) / 1000 - beganMs.unix / 1000);
  const lastedSeconds = (performance.now() - beganMs.monotonic) / 1000;
  const scaleOf = (time: number) =>
    offsets.find((offset) => time > offset - SLACK_S && time < offset + lastedSeconds + SLACK_S);
  assert.deepEqual(
    times.filter((time) => scaleOf(time) === undefined),
    [],
  );
  assert.deepEqual(
    [...new Set(times.map(scaleOf))].toSorted((a = 0, b = 0) => a - b),
    offsets.toSorted((a, b) => a - b),
  );
}

/** No point of a series is older than the one before, nor less. */
function assertRising(requests: readonly ReceivedRequest[]): void {
  const last = new Map<string, { readonly time: bigint; readonly value: bigint }>();
  const points = requests
    .filter(({ path }) => path === "/v1/metrics")
    .flatMap(({ body }) => decodeMetrics(body))
    .flatMap(({ scopes }) => scopes.flatMap(({ metrics }) => metrics))
    .filter(({ name }) => name === "tcp.retransmit.segments")
    .flatMap((metric) => metric.points);
  for (const { attributes, timeNanos: time, int: value = 0n } of points) {
    const series = JSON.stringify(attributes);
    const before = last.get(series);
    if (before !== undefined) assert.ok(time >= before.time && value >= before.value, series);
    last.set(series, { time, value });
  }
  assert.ok(last.size > 0, "no metrics");
}
