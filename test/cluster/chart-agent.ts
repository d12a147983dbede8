import type { NodePlace } from "../lab/cluster/cluster.ts";
import type { KubeApi, KubeObject } from "../lab/cluster/kube-api.ts";
import { hostPort } from "../lab/cluster/plan.ts";
import { parsePrometheus } from "../support/prometheus-text.ts";
import type { JudgedAgent } from "./agent-node.ts";
import { isEventLine } from "./named-line.ts";

/** The port that the chart's pods have their metrics on. */
export const CHART_PORT = 9464;

/** A pod of the chart on a node. */
export class ChartAgent implements JudgedAgent {
  readonly place: NodePlace;
  readonly pod: KubeObject;
  readonly #api: KubeApi;
  #log = "";

  constructor(api: KubeApi, { place, pod }: { readonly place: NodePlace; readonly pod: KubeObject }) {
    this.#api = api;
    this.place = place;
    this.pod = pod;
  }

  /** `host:port` of its metrics, in the pod network. */
  get address(): string {
    return hostPort(this.pod.status.podIP, CHART_PORT);
  }

  /** Its metrics as text 0.0.4, through the API server's proxy. */
  metricsText(): Promise<string> {
    return this.ask("/metrics");
  }

  /** Sums over metrics' samples, each by its name, as they are at one moment. */
  async sums<const Names extends readonly string[]>(
    names: Names,
  ): Promise<{ readonly [I in keyof Names]: number }> {
    const families = parsePrometheus(await this.metricsText(), { openMetrics: false });
    const samples = families.flatMap((family) => family.samples);
    const sum = (name: string) =>
      samples.reduce((total, sample) => total + (sample.name === name ? sample.value : 0), 0);
    return names.map(sum) as { [I in keyof Names]: number };
  }

  /** What its port answers, through the API server's proxy. */
  ask(path: string): Promise<string> {
    return this.#api.read(`${this.#path(`${this.pod.metadata.name}:${CHART_PORT}`)}/proxy${path}`);
  }

  /** Reads its log, as `kubectl logs` does; events are in it with `config.events.output=json`. */
  async readLog(): Promise<string> {
    this.#log = await this.#api.read(`${this.#path(this.pod.metadata.name)}/log`);
    return this.#log;
  }

  /** Every event of the log as it was read last. */
  events(): readonly Readonly<Record<string, unknown>>[] {
    return this.#log
      .split("\n")
      .filter(isEventLine)
      .map((line) => JSON.parse(line));
  }

  #path(name: string): string {
    return `/api/v1/namespaces/${this.pod.metadata.namespace}/pods/${name}`;
  }
}
