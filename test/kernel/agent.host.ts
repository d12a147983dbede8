import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import { ATTRIBUTES as KEYS } from "../../src/export/attributes.ts";
import { decodeRequest, type Received } from "../export/otlp/decode-otlp.ts";
import { type Collector, grpcCollector } from "../export/otlp/grpc-collector.ts";
import { AgentProgram, type Row, sentRows, sumOf } from "../support/agent-program.ts";
import { LossyLink } from "../support/lossy-link.ts";
import { decodeMetrics, type OtlpPoint } from "../support/otlp-metrics.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../support/otlp-receiver.ts";
import type { End } from "../support/program.ts";
import type { Family } from "../support/prometheus-text.ts";

const PORT = { random: 7001, closed: 7004 } as const;
const AT_SERVER = [
  `tcp dport ${PORT.random} meta length > 200 numgen random mod 100 < 8 drop`,
  `tcp dport ${PORT.closed} drop`,
];
/** Coverage is read every 10 s, on a busy machine later. */
const READING_S = 60;

/** Two agents on the same load, as of two nodes that share this kernel. */
interface Ran {
  readonly agent: AgentProgram;
  /** Where its tracefs instance was. */
  readonly instance: string;
  /** /metrics when the kernel's counters had been read behind the load. */
  readonly scraped: readonly Family[];
  readonly end: End;
}

const undo = new AsyncDisposableStack();
let link: LossyLink;
let collector: Collector;
let receiver: OtlpReceiver;
let retransSegs: number;
/** Over gRPC, with spans and a budget for few records; over HTTP, as on Node 24, with the defaults. */
let grpc: Ran;
let http: Ran;

before(async () => {
  link = undo.use(await LossyLink.open({ ports: [PORT.random], atServer: AT_SERVER }));
  collector = await grpcCollector({ after: (end) => undo.defer(end as () => Promise<void>) });
  receiver = undo.use(await startOtlpReceiver());
  const overGrpc = ["--otlp-endpoint", `http://127.0.0.1:${collector.port}`, "--traces-exporter", "otlp"];
  const budget = ["--logs-records-per-second", "20", "--logs-summary-seconds", "1"];
  const overHttp = ["--otlp-endpoint", receiver.url, "--otlp-protocol", "http/protobuf"];
  const often = ["--metrics-interval-seconds", "1"];
  const noFfi = { env: { TCPRETRANS_NO_FFI: "1" } };
  const agents = [
    undo.use(new AgentProgram(["--node-name", "node-g", ...overGrpc, ...budget, ...often])),
    undo.use(new AgentProgram(["--node-name", "node-h", ...overHttp, ...often], noFfi)),
  ];
  await Promise.all(agents.map((agent) => agent.captures()));
  const instances = agents.map(({ program }) => program.instance);
  await Promise.all(agents.map((agent) => covered(agent, 0)));
  await makeLoad();
  await link.quiet();
  retransSegs = link.count("RetransSegs");
  const scraped = await Promise.all(agents.map((agent) => covered(agent, retransSegs)));
  const ends = await Promise.all(agents.map((agent) => agent.stop()));
  [grpc, http] = agents.map((agent, i) => ({
    agent,
    instance: instances[i] ?? "",
    scraped: scraped[i] ?? [],
    end: ends[i] as End,
  })) as [Ran, Ran];
});

after(() => undo.disposeAsync());

/** Scrapes until the kernel's counters have been read up to so many segments. */
async function covered(agent: AgentProgram, segments: number): Promise<readonly Family[]> {
  for (const giveUp = performance.now() + READING_S * 1000; performance.now() < giveUp; ) {
    const families = await agent.metrics();
    const isThere = families.some(({ name }) => name === "tcpretrans_segments_kernel_total");
    if (isThere && sumOf(families, "tcpretrans_segments_kernel_total") >= segments) return families;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`The kernel's counters were not read within ${READING_S} s`);
}

async function makeLoad(): Promise<void> {
  const asked = (["ipv4", "ipv6", "mapped"] as const).flatMap((kind) => [
    link.ask({ host: link.address(kind), port: PORT.random, connections: 4, bytes: 400_000 }),
    link.ask({ host: link.address(kind), port: PORT.closed, connections: 4 }),
  ]);
  await Promise.all(asked);
}

function ofLink(rows: readonly Row[]): readonly Row[] {
  return rows.filter((row) => link.has(String(row[KEYS.sourceAddress])));
}

/** How many events log records are: a summary stands for several. */
function eventsOf(records: readonly Received[]): number {
  const counts = records.map(({ attributes }) => Number(attributes["tcp.retransmit.events"] ?? 1));
  return counts.reduce((sum, count) => sum + count, 0);
}

for (const name of ["grpc", "http"] as const) {
  const ran = () => (name === "grpc" ? grpc : http);

  test(`tcpretrans agent (${name}) prints each retransmit of the link, and its metrics are their sum`, () => {
    const { agent, scraped } = ran();
    assert.ok(retransSegs > 100, `${retransSegs} segments`);
    assert.equal(sentRows(ofLink(agent.rows)).length, retransSegs);
    assert.equal(sumOf(scraped, "tcp_retransmit_segments_total"), sentRows(agent.rows).length);
  });

  test(`tcpretrans agent (${name}) has seen as many segments as the kernel has counted`, () => {
    const { scraped } = ran();
    const kernel = sumOf(scraped, "tcpretrans_segments_kernel_total");
    assert.ok(kernel >= retransSegs);
    assert.equal(sumOf(scraped, "tcpretrans_segments_seen_total"), kernel);
    assert.equal(sumOf(scraped, "tcpretrans_records_lost_total"), 0);
    assert.equal(sumOf(scraped, "tcpretrans_gaps_total"), 0);
  });

  test(`tcpretrans agent (${name}) ends on SIGTERM with 0 and nothing left`, () => {
    const { end, instance } = ran();
    assert.deepEqual(end, { code: 0, signal: null });
    assert.ok(!existsSync(instance));
  });
}

test("tcpretrans agent sends log records and summaries that stand for all events over gRPC", () => {
  const logs = collector.received.filter(({ severity }) => severity !== undefined);
  const summaries = logs.filter(({ name }) => name === "tcp.retransmit.summary");
  assert.ok(summaries.length > 0, "no summary");
  assert.equal(eventsOf(logs), grpc.agent.rows.length);
});

test("tcpretrans agent sends a span for each episode, whose records carry its ids", () => {
  const logs = collector.received.filter(({ severity }) => severity !== undefined);
  const spans = collector.received.filter(({ severity }) => severity === undefined);
  const ids = new Set(spans.map(({ traceId, spanId }) => `${traceId} ${spanId}`));
  const ofLinkOnly = logs.filter(({ attributes }) => link.has(String(attributes[KEYS.sourceAddress])));
  const inSpans = ofLinkOnly.filter(({ traceId }) => traceId !== "");
  assert.ok(spans.length > 0 && inSpans.length > 0);
  for (const { traceId, spanId } of inSpans) assert.ok(ids.has(`${traceId} ${spanId}`));
  assert.ok(spans.every(({ name }) => name === "tcp loss recovery"));
});

test("tcpretrans agent sends each event as a log record over HTTP, at the kernel's times", () => {
  const logs = receiver.requests
    .filter(({ path }) => path === "/v1/logs")
    .flatMap(({ body }) => decodeRequest("logs", body));
  assert.equal(eventsOf(logs), http.agent.rows.length);
  const times = logs.map(({ times: [time = 0n] }) => Number(time / 1_000_000n));
  const began = performance.timeOrigin;
  assert.ok(times.every((time) => time > began - 1000 && time < Date.now() + 1000));
});

test("tcpretrans agent sends metrics of which each series begins at 0 and never goes back in time", () => {
  const points = receiver.requests
    .filter(({ path }) => path === "/v1/metrics")
    .flatMap(({ body }) => decodeMetrics(body))
    .flatMap(({ scopes }) => scopes.flatMap(({ metrics }) => metrics))
    .filter(({ name }) => name === "tcp.retransmit.segments")
    .flatMap((metric) => metric.points);
  const series = Map.groupBy(points, ({ attributes }) => JSON.stringify(attributes));
  assert.ok(series.size > 0);
  let last = 0;
  for (const [name, ofSeries] of series) {
    const values = ofSeries.map(pointValue);
    assert.equal(values[0], 0, name);
    assert.ok(isRising(values), name);
    assert.ok(isRising(ofSeries.map(({ timeNanos }) => Number(timeNanos / 1_000_000n))), name);
    last += values.at(-1) ?? 0;
  }
  assert.equal(last, sentRows(http.agent.rows).length);
});

test("tcpretrans agent sends metrics last of all", () => {
  assert.equal(receiver.requests.at(-1)?.path, "/v1/metrics");
});

function pointValue({ int, double }: OtlpPoint): number {
  return int === undefined ? (double ?? Number.NaN) : Number(int);
}

function isRising(values: readonly number[]): boolean {
  return values.every((value, i) => i === 0 || value >= (values[i - 1] ?? 0));
}
