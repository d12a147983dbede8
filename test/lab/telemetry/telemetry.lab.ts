import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, suite, test } from "node:test";
import { Program, TCPRETRANS } from "../../support/program.ts";
import { Authority } from "../cluster/certificates.ts";
import { goProgram } from "../cluster/go-tools.ts";
import { until } from "../cluster/until.ts";
import { labDir } from "../lab-dir.ts";
import { run } from "../run.ts";
import { Collector } from "./collector.ts";
import { comparePaths, readPath } from "./metric-paths.ts";
import { OtlpSink } from "./otlp-sink.ts";
import { differentSpans } from "./printed-spans.ts";
import { Prometheus } from "./prometheus.ts";

const HOST = "127.0.0.1";
const PORTS = {
  plain: 24_317,
  tls: 24_327,
  mtls: 24_337,
  metrics: 28_889,
  prometheus: 29_090,
  agent: 29_464,
};
const receiver = (port: number) => ({ grpc: port, http: port + 1 });

suite("An agent's telemetry on this machine", () => {
  const undo = new AsyncDisposableStack();
  const program = (name: string) => goProgram(labDir(process.env), name, console.log);
  let dir: string;
  let authority: Authority;
  let sink: OtlpSink;
  let collector: Collector;
  let prometheus: Prometheus;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "tcpretrans-telemetry-"));
    undo.defer(() => rm(dir, { recursive: true, force: true }));
    for (const part of ["bin", "dist"])
      await cp(join(dirname(TCPRETRANS), "..", part), join(dir, "program", part), { recursive: true });
    authority = await Authority.create(join(dir, "pki"));
    const server = { name: "server", subject: "/CN=collector", altNames: [`IP:${HOST}`] };
    const files = await authority.issue(server);
    await authority.issue({ name: "client", subject: "/CN=agent", altNames: [] });
    sink = undo.use(await OtlpSink.listen());
    prometheus = undo.use(
      await Prometheus.start(await program("prometheus"), dir, {
        ...{ host: HOST, port: PORTS.prometheus, scrapeSeconds: 1 },
        scrapes: {
          text: { targets: [`${HOST}:${PORTS.agent}`], protocol: "PrometheusText0.0.4" },
          openmetrics: { targets: [`${HOST}:${PORTS.agent}`], protocol: "OpenMetricsText1.0.0" },
          collector: { targets: [`${HOST}:${PORTS.metrics}`] },
        },
      }),
    );
    collector = undo.use(
      await Collector.start(await program("otelcol"), dir, {
        host: HOST,
        plain: receiver(PORTS.plain),
        tls: { ports: receiver(PORTS.tls), files },
        mtls: { ports: receiver(PORTS.mtls), files: { ...files, clientCa: authority.cert } },
        metricsPort: PORTS.metrics,
        sinkPort: sink.port,
        prometheusUrl: prometheus.url,
      }),
    );
  });
  after(() => undo.disposeAsync());

  /** Runs a demonstration until something is so: the bundle alone, where no package lies beside or above it. */
  async function demonstrate(
    flags: readonly string[],
    isSo: (agent: Program) => Promise<boolean | undefined> | boolean | undefined,
  ): Promise<Program> {
    await using agent = new Program(
      [
        ...["agent", "--demo", "--events=json", "--http-port", String(PORTS.agent)],
        ...["--metrics-interval-seconds=1", "--traces-exporter=otlp", ...flags],
      ],
      { path: join(dir, "program/bin/tcpretrans") },
    );
    await until("what the agent sends", () => isSo(agent), { timeoutMs: 30_000 });
    await agent.stop("SIGTERM");
    return agent;
  }

  test("metrics have the same series on every way, each event has its log record, and promtool agrees with /metrics", async () => {
    const ways = [
      { name: "Prometheus's OTLP receiver", job: "tcpretrans" },
      { name: "the Collector's prometheus exporter", job: "collector" },
      { name: "/metrics as text", job: "text" },
      { name: "/metrics as OpenMetrics", job: "openmetrics" },
    ];
    let differences: readonly string[] = ["nothing was compared"];
    let text = "";
    const agent = await demonstrate([`--otlp-endpoint=http://${HOST}:${PORTS.plain}`], async () => {
      const read = await Promise.all(ways.map((way) => readPath(prometheus, way)));
      differences = comparePaths(read);
      if (differences.length > 0) throw new Error(differences.slice(0, 10).join("\n"));
      if (sink.spans.length === 0 || read.some(({ series }) => series.size <= 20)) return false;
      const answer = await fetch(`http://${HOST}:${PORTS.agent}/metrics`);
      // Both scrapes and this test ask from one address, and the port answers so many times a second.
      if (!answer.ok) return false;
      text = await answer.text();
      return true;
    });
    assert.deepEqual(differences, []);
    const events = agent.lines.filter((line) => line.includes('"event.name"'));
    assert.ok(events.length > 0);
    assert.equal(sink.logs.length, events.length);
    assert.match(text, /^tcp_retransmit_segments_total\{/m);
    await run(await program("promtool"), ["check", "metrics"], { input: text });
  });

  const client = () => authority.pair("client");
  const secure = () => [`--otlp-certificate=${authority.cert}`];
  const mutual = () => [
    ...secure(),
    `--otlp-client-certificate=${client().cert}`,
    `--otlp-client-key=${client().key}`,
  ];
  for (const { name, flags } of [
    {
      name: "gRPC with TLS",
      flags: () => [`--otlp-endpoint=https://${HOST}:${PORTS.tls}`, ...secure()],
    },
    {
      name: "http/protobuf with TLS on both sides",
      flags: () => [
        ...[`--otlp-endpoint=https://${HOST}:${PORTS.mtls + 1}`, "--otlp-protocol=http/protobuf"],
        ...mutual(),
      ],
    },
  ]) {
    test(`the Collector takes log records and spans over ${name}`, async () => {
      const before = { logs: sink.logs.length, spans: sink.spans.length };
      const agent = await demonstrate(
        flags(),
        () => sink.logs.length > before.logs && sink.spans.length > before.spans,
      );
      const events = agent.lines.filter((line) => line.includes('"event.name"'));
      assert.equal(sink.logs.length - before.logs, events.length);
    });
  }

  test("spans are in the Collector's own words what they are to the sink", async () => {
    await collector.down();
    const printed = await collector.printedSpans();
    assert.ok(printed.length > 0);
    assert.deepEqual(differentSpans(printed, sink.spans), []);
    assert.ok(differentSpans(printed.slice(1), sink.spans).length > 0, "a missing span goes unnoticed");
  });

  test("the Collector says nothing of trouble", async () => {
    await collector.down();
    const said = await readFile(join(dir, "collector.log"), "utf8");
    assert.deepEqual(
      said.split("\n").filter((line) => /\t(warn|error)\t/.test(line)),
      [],
    );
  });
});
