import { join } from "node:path";
import type { Cluster } from "../lab/cluster/cluster.ts";
import { goProgram } from "../lab/cluster/go-tools.ts";
import { hostPort, NODE_A } from "../lab/cluster/plan.ts";
import { Collector } from "../lab/telemetry/collector.ts";
import { OtlpSink } from "../lab/telemetry/otlp-sink.ts";
import { Prometheus } from "../lab/telemetry/prometheus.ts";

/** On node-a, which both nodes' pods reach. */
const HOST = NODE_A.address.v4;
const PORTS = { otlp: 14_357, metrics: 18_890, prometheus: 19_091 };
const RULES = join(import.meta.dirname, "../../charts/tcpretrans/rules/*.yaml");

/** What the chart's agents export to, as somebody has it who installs the chart: a Collector, and behind it a Prometheus with the chart's rules. */
export class ChartTelemetry implements AsyncDisposable {
  readonly prometheus: Prometheus;
  readonly collector: Collector;
  readonly sink: OtlpSink;
  readonly promtool: string;
  /** For `collector.endpoint`. */
  readonly endpoint = `http://${hostPort(HOST, PORTS.otlp)}`;
  readonly #undo: AsyncDisposableStack;

  private constructor(parts: Parts) {
    this.prometheus = parts.prometheus;
    this.collector = parts.collector;
    this.sink = parts.sink;
    this.promtool = parts.promtool;
    this.#undo = parts.undo;
  }

  /** All of it takes requests when this returns. */
  static async start(cluster: Cluster, labDir: string, say: (line: string) => void): Promise<ChartTelemetry> {
    const otelcol = await goProgram(labDir, "otelcol", say);
    const program = await goProgram(labDir, "prometheus", say);
    const promtool = await goProgram(labDir, "promtool", say);
    const dir = join(cluster.dir, "chart-telemetry");
    await using undo = new AsyncDisposableStack();
    const sink = undo.use(await OtlpSink.listen());
    const prometheus = undo.use(
      await Prometheus.start(program, dir, {
        ...{ host: HOST, port: PORTS.prometheus, scrapeSeconds: 3 },
        scrapes: {},
        ruleFiles: [RULES],
      }),
    );
    const collector = undo.use(
      await Collector.start(otelcol, dir, {
        host: HOST,
        plain: { grpc: PORTS.otlp, http: PORTS.otlp + 1 },
        metricsPort: PORTS.metrics,
        sinkPort: sink.port,
        prometheusUrl: prometheus.url,
      }),
    );
    return new ChartTelemetry({ prometheus, collector, sink, promtool, undo: undo.move() });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#undo.disposeAsync();
  }
}

interface Parts {
  readonly prometheus: Prometheus;
  readonly collector: Collector;
  readonly sink: OtlpSink;
  readonly promtool: string;
  readonly undo: AsyncDisposableStack;
}
