import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Authority } from "../lab/cluster/certificates.ts";
import type { Cluster, NodePlace } from "../lab/cluster/cluster.ts";
import { goProgram } from "../lab/cluster/go-tools.ts";
import { hostPort, NODE_A, NODE_B } from "../lab/cluster/plan.ts";
import { Collector } from "../lab/telemetry/collector.ts";
import { OtlpSink } from "../lab/telemetry/otlp-sink.ts";
import type { PrintedSpan } from "../lab/telemetry/printed-spans.ts";
import { Prometheus } from "../lab/telemetry/prometheus.ts";
import { SecretFiles } from "../lab/telemetry/secret-files.ts";
import { AGENT_PORT } from "./agent-node.ts";

/** On node-a. */
const HOST = NODE_A.address.v4;
const PORTS = { plain: 14_317, tls: 14_327, mtls: 14_337, metrics: 18_889, prometheus: 19_090 };
/** The node whose agent may make so few log records that some events are summed up. */
export const FEW_RECORDS = NODE_A;
const receiver = (port: number) => ({ grpc: port, http: port + 1 });

/** What the agents of both nodes export to: a Collector, a Prometheus that gets metrics on three ways, and a sink. */
export class AgentTelemetry implements AsyncDisposable {
  readonly prometheus: Prometheus;
  readonly sink: OtlpSink;
  readonly promtool: string;
  /** Times that the Collector was away. */
  outages = 0;
  readonly #collector: Collector;
  readonly #secrets: Secrets;
  readonly #undo: AsyncDisposableStack;

  private constructor(parts: Parts) {
    this.prometheus = parts.prometheus;
    this.sink = parts.sink;
    this.promtool = parts.promtool;
    this.#collector = parts.collector;
    this.#secrets = parts.secrets;
    this.#undo = parts.undo;
  }

  /** Starts all of it; the certificates are on the nodes when it returns. */
  static async start(
    cluster: Cluster,
    { labDir, say }: { readonly labDir: string; readonly say: (line: string) => void },
  ): Promise<AgentTelemetry> {
    const [otelcol, prometheusProgram, promtool] = [
      await goProgram(labDir, "otelcol", say),
      await goProgram(labDir, "prometheus", say),
      await goProgram(labDir, "promtool", say),
    ];
    const dir = join(cluster.dir, "telemetry");
    await using undo = new AsyncDisposableStack();
    const secrets = await Secrets.create(dir, [cluster.a, cluster.b]);
    const sink = undo.use(await OtlpSink.listen());
    const agents = [NODE_A, NODE_B].map(({ address }) => hostPort(address.v4, AGENT_PORT));
    const prometheus = undo.use(
      await Prometheus.start(prometheusProgram, dir, {
        ...{ host: HOST, port: PORTS.prometheus, scrapeSeconds: 3 },
        scrapes: {
          scrape: { targets: agents },
          collector: { targets: [hostPort(HOST, PORTS.metrics)] },
        },
      }),
    );
    const files = { cert: secrets.serverCert, key: secrets.serverKey };
    const collector = undo.use(
      await Collector.start(otelcol, dir, {
        host: HOST,
        plain: receiver(PORTS.plain),
        tls: { ports: receiver(PORTS.tls), files },
        mtls: { ports: receiver(PORTS.mtls), files: { ...files, clientCa: secrets.clientCa } },
        metricsPort: PORTS.metrics,
        sinkPort: sink.port,
        prometheusUrl: prometheus.url,
      }),
    );
    return new AgentTelemetry({ prometheus, sink, promtool, collector, secrets, undo: undo.move() });
  }

  /** Flags by which a node's agent exports: on one node http/protobuf with TLS and spans by plain gRPC, on the other gRPC with TLS on both sides. */
  flagsOf(place: NodePlace): readonly string[] {
    const file = (name: string) => secretFiles(place).path(name);
    const to = (scheme: string, port: number) => `${scheme}://${hostPort(HOST, port)}`;
    const few = ["--logs-records-per-second=10", "--logs-summary-seconds=3"];
    const common = [
      ...(place.plan === FEW_RECORDS ? few : []),
      ...["--cluster-name=lab", "--metrics-interval-seconds=2", "--traces-exporter=otlp"],
      `--otlp-certificate=${file("ca.crt")}`,
    ];
    if (place.plan === NODE_A)
      return [
        ...common,
        ...[`--otlp-endpoint=${to("https", PORTS.tls + 1)}`, "--otlp-protocol=http/protobuf"],
        ...[`--otlp-traces-endpoint=${to("http", PORTS.plain)}`, "--otlp-traces-protocol=grpc"],
      ];
    return [
      ...common,
      `--otlp-endpoint=${to("https", PORTS.mtls)}`,
      `--otlp-client-certificate=${file("tls.crt")}`,
      `--otlp-client-key=${file("tls.key")}`,
    ];
  }

  /**
   * The Collector ends by a signal and is away for a while; then only certificates of another authority are right, which
   * everyone has got meanwhile.
   */
  async outage(signal: NodeJS.Signals, during: () => Promise<unknown>): Promise<void> {
    await this.#collector.down(signal);
    this.outages++;
    await this.#secrets.replace();
    await during();
    await this.#collector.up();
  }

  /** Every span in the Collector's own words. */
  printedSpans(): Promise<readonly PrintedSpan[]> {
    return this.#collector.printedSpans();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#undo.disposeAsync();
  }
}

interface Parts {
  readonly prometheus: Prometheus;
  readonly sink: OtlpSink;
  readonly promtool: string;
  readonly collector: Collector;
  readonly secrets: Secrets;
  readonly undo: AsyncDisposableStack;
}

/** The certificates of the Collector and of the agents. */
class Secrets {
  readonly serverCert: string;
  readonly serverKey: string;
  readonly clientCa: string;
  readonly #dir: string;
  readonly #onNodes: readonly SecretFiles[];
  #version = 0;

  private constructor(dir: string, nodes: readonly NodePlace[]) {
    this.#dir = dir;
    this.#onNodes = nodes.map(secretFiles);
    const collector = join(dir, "collector-pki");
    [this.serverCert, this.serverKey, this.clientCa] = ["tls.crt", "tls.key", "ca.crt"].map((name) =>
      join(collector, name),
    ) as [string, string, string];
  }

  static async create(dir: string, nodes: readonly NodePlace[]): Promise<Secrets> {
    const secrets = new Secrets(dir, nodes);
    await mkdir(join(dir, "collector-pki"), { recursive: true });
    await secrets.replace();
    return secrets;
  }

  /** Makes a new authority, and certificates of it for everyone. */
  async replace(): Promise<void> {
    const authority = await Authority.create(join(this.#dir, `pki-${++this.#version}`));
    const altNames = [`IP:${HOST}`];
    const server = await authority.issue({ name: "collector", subject: "/CN=collector", altNames });
    const client = await authority.issue({ name: "agent", subject: "/CN=agent", altNames: [] });
    const read = (file: string) => readFile(file, "utf8");
    const ca = await read(authority.cert);
    await writeFile(this.serverCert, await read(server.cert));
    await writeFile(this.serverKey, await read(server.key));
    await writeFile(this.clientCa, ca);
    const files = { "ca.crt": ca, "tls.crt": await read(client.cert), "tls.key": await read(client.key) };
    await Promise.all(this.#onNodes.map((node) => node.put(files)));
  }
}

/** Where a node's agent finds its certificates. */
function secretFiles({ runner, file }: NodePlace): SecretFiles {
  return new SecretFiles(runner, file("otlp-secret").there);
}
