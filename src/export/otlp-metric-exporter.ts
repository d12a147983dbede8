import type { Attributes } from "@opentelemetry/api";
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import {
  AggregationTemporality,
  type InstrumentType,
  type PushMetricExporter,
  type ResourceMetrics,
  type ScopeMetrics,
} from "@opentelemetry/sdk-metrics";
import { exportErrorCode, isOfOneRequest, isRefusal } from "./export-error-code.ts";
import type { MetricSource } from "./metric-family.ts";
import { OTLP_READER, type SourceScopeMetrics } from "./otlp-metric-producer.ts";
import { type MetricRequest, metricRequests } from "./otlp-metric-requests.ts";
import { MetricStreams, type OutgoingMetric, type Temporality } from "./otlp-metric-streams.ts";

/** The resource of a local pod, asked for once; undefined leaves its points on the agent's until it is asked again. */
export type PodResource = (podUid: string) => Attributes | undefined;

export interface OtlpMetricExporterOptions {
  /** Sends one request; its own timeout bounds that. */
  readonly exporter: PushMetricExporter;
  /** Whose points they are: it is told what has not arrived. */
  readonly source: Pick<MetricSource, "missed">;
  readonly temporality: Temporality;
  /** Present: points about one local pod go out on its resource, in requests of their own. */
  readonly podResource?: PodResource | undefined;
  /** Bytes of a request before compression; gRPC receivers refuse 4 MiB. */
  readonly maxBytes?: number;
}

/** What became of exports. */
export interface MetricExportCounts {
  /** Points that a receiver has taken. */
  exported: number;
  /** Failed requests by code; `superseded`: a newer state came before the rest of an older one was sent. */
  readonly failures: Map<string, number>;
  /** What went wrong last, as a sentence; undefined since something was taken. */
  problem: string | undefined;
}

const MAX_BYTES = 3 * 1024 * 1024;

/**
 * Sends metrics in requests that a receiver takes, one at a time, in the temporality that it wants. What fails is not sent
 * again: the next state goes instead, and a state that is not out yet gives way to a newer one.
 */
export class OtlpMetricExporter implements PushMetricExporter {
  readonly counts: MetricExportCounts = { exported: 0, failures: new Map(), problem: undefined };
  readonly #options: OtlpMetricExporterOptions;
  readonly #streams: MetricStreams;
  /** Ends when what was handed over so far is sent, has failed or has given way. */
  #sending: Promise<unknown> = Promise.resolve();
  /** Of the pods that had points in the last state. */
  #resources: ReadonlyMap<string, Resource> = new Map();
  /** States that were handed over: only the last may go out. */
  #states = 0;

  constructor(options: OtlpMetricExporterOptions) {
    this.#options = options;
    this.#streams = new MetricStreams(options.temporality);
  }

  export(metrics: ResourceMetrics, done: (result: ExportResult) => void): void {
    const state = ++this.#states;
    const sent = this.#sending.then(() => this.#send(metrics, state));
    const failed = (error: Error): ExportResult => ({ code: ExportResultCode.FAILED, error });
    this.#sending = sent.catch(failed).then(done);
  }

  async forceFlush(): Promise<void> {
    await this.#sending;
    await this.#options.exporter.forceFlush();
  }

  async shutdown(): Promise<void> {
    await this.#sending;
    await this.#options.exporter.shutdown();
  }

  /** For the SDK's own instruments; a source's points are converted here. */
  selectAggregationTemporality(instrument: InstrumentType): AggregationTemporality {
    return (
      this.#options.exporter.selectAggregationTemporality?.(instrument) ?? AggregationTemporality.CUMULATIVE
    );
  }

  async #send(metrics: ResourceMetrics, state: number): Promise<ExportResult> {
    let result: ExportResult = { code: ExportResultCode.SUCCESS };
    let hasMissed = false;
    for (const { metrics: request, points } of this.#requests(metrics)) {
      const isSuperseded = this.#states !== state;
      const sent = isSuperseded ? SUPERSEDED : await sendOne(this.#options.exporter, request);
      const isTaken = sent.code === ExportResultCode.SUCCESS;
      const code = isSuperseded ? "superseded" : exportErrorCode(sent.error);
      if (isTaken) this.counts.exported += points.length;
      if (!isSuperseded) this.counts.problem = sent.error?.message;
      if (isTaken || isRefusal(code)) for (const { settled } of points) settled();
      if (isTaken) continue;
      result = sent;
      hasMissed ||= !isRefusal(code);
      this.counts.failures.set(code, (this.counts.failures.get(code) ?? 0) + 1);
      if (!isOfOneRequest(code)) break; // the others would fare no better, and the next state is soon there
    }
    if (hasMissed) this.#tellMissed(metrics);
    return result;
  }

  #tellMissed({ scopeMetrics }: ResourceMetrics): void {
    for (const scope of scopeMetrics.filter(isOfSource)) {
      this.#options.source.missed(OTLP_READER, scope.collectedUnixMs);
    }
  }

  /** Everything as requests, those of one resource after those of the other. */
  *#requests({ resource, scopeMetrics }: ResourceMetrics): Generator<MetricRequest> {
    const { maxBytes = MAX_BYTES } = this.#options;
    const others = scopeMetrics.filter((scope) => !isOfSource(scope) && scope.metrics.length > 0);
    if (others.length > 0) yield { metrics: { resource, scopeMetrics: others }, points: [] };
    const resourceOf = this.#podResources();
    for (const { scope, metrics, observed } of scopeMetrics.filter(isOfSource)) {
      const outgoing = metrics.map((metric) =>
        this.#streams.outgoing(metric, { isObserved: observed.has(metric.descriptor.name), resourceOf }),
      );
      for (const [own, ofResource] of byResource(outgoing)) {
        yield* metricRequests(ofResource, { resource: own ?? resource, scope, maxBytes });
      }
    }
  }

  /** Finds the resources of the pods of this state; one that was found stays what it is as long as the pod has points. */
  #podResources(): (podUid: string) => Resource | undefined {
    const { podResource } = this.#options;
    if (podResource === undefined) return () => undefined;
    const before = this.#resources;
    const now = new Map<string, Resource>();
    this.#resources = now;
    return (podUid) => {
      const known = now.get(podUid) ?? before.get(podUid);
      const attributes = known === undefined ? podResource(podUid) : undefined;
      const resource = attributes === undefined ? known : resourceFromAttributes(attributes);
      if (resource !== undefined) now.set(podUid, resource);
      return resource;
    };
  }
}

const SUPERSEDED: ExportResult = { code: ExportResultCode.FAILED };

function sendOne(exporter: PushMetricExporter, metrics: ResourceMetrics): Promise<ExportResult> {
  return new Promise((resolve) => exporter.export(metrics, resolve));
}

function isOfSource(scope: ScopeMetrics): scope is SourceScopeMetrics {
  return "collectedUnixMs" in scope;
}

/** Points by the resource that is theirs; undefined is the agent's. */
function byResource(
  metrics: readonly OutgoingMetric[],
): ReadonlyMap<Resource | undefined, readonly OutgoingMetric[]> {
  const all = new Map<Resource | undefined, OutgoingMetric[]>();
  for (const { metric, points } of metrics) {
    for (const [resource, ofResource] of Map.groupBy(points, (point) => point.resource)) {
      const group = all.get(resource) ?? [];
      all.set(resource, group);
      group.push({ metric, points: ofResource });
    }
  }
  return all;
}
