import * as v from "valibot";
import { section } from "./section.ts";
import { oneOf, ratio, seconds, wholeNumber } from "./value-schemas.ts";

const EXPORTERS = ["otlp", "console", "none"] as const;

/** What is pushed, and how much of it. */
export const METRICS_SECTION = section({
  exporter: v.optional(
    v.pipe(
      oneOf(...EXPORTERS),
      v.description("where metrics are pushed to; by default otlp once an endpoint is set"),
    ),
  ),
  intervalSeconds: v.optional(
    v.pipe(seconds(0.1, 86_400), v.description("time from one push to the next")),
    60,
  ),
  exportTimeoutSeconds: v.optional(
    v.pipe(seconds(0, 3600), v.description("how long one push may take; 0 is without end")),
    30,
  ),
  temporality: v.optional(
    v.pipe(
      oneOf("cumulative", "delta", "lowmemory"),
      v.description("of what is pushed; lowmemory: delta for what is counted as it happens"),
    ),
    "cumulative",
  ),
  detail: v.optional(
    v.pipe(
      oneOf("workload", "pod", "peer-pod"),
      v.description("what a series is of: the local workload, its pod, or the peer's pod too"),
    ),
    "pod",
  ),
  histograms: v.optional(
    v.pipe(
      oneOf("explicit", "exponential"),
      v.description("buckets of what is pushed; /metrics has explicit ones"),
    ),
    "explicit",
  ),
  maxSeriesPerMetric: v.optional(
    v.pipe(wholeNumber(1, 100_000), v.description("series of one metric; the rest goes into one more")),
    2000,
  ),
  maxSeries: v.optional(
    v.pipe(wholeNumber(1, 1_000_000), v.description("series of all metrics together")),
    5000,
  ),
  idleSeconds: v.optional(
    v.pipe(seconds(1, 604_800), v.description("how long a series stays that nothing adds to")),
    3600,
  ),
});

/** Events as log records. */
export const LOGS_SECTION = section({
  exporter: v.optional(
    v.pipe(
      oneOf(...EXPORTERS),
      v.description("where events are sent as log records; by default otlp once an endpoint is set"),
    ),
  ),
  recordsPerSecond: v.optional(
    v.pipe(wholeNumber(0, 1_000_000), v.description("records of single events; beyond it summaries")),
    500,
  ),
  summarySeconds: v.optional(v.pipe(seconds(0.1, 3600), v.description("time that one summary is over")), 10),
  batch: batch("log records", 1),
  limits: section({
    attributeCount: attributeCount("a log record"),
    attributeLength: attributeLength("a log record"),
  }),
});

/** Episodes of loss recovery as spans. */
export const TRACES_SECTION = section({
  exporter: v.optional(
    v.pipe(
      oneOf(...EXPORTERS),
      v.description("where spans of loss recovery are sent; only where it is asked for"),
    ),
    "none",
  ),
  quietSeconds: v.optional(
    v.pipe(seconds(0.1, 3600), v.description("time without an event after which an episode is over")),
    30,
  ),
  maxEventsPerSpan: v.optional(
    v.pipe(wholeNumber(0, 10_000), v.description("events on one span; the rest is counted")),
    32,
  ),
  sampleRatio: v.optional(v.pipe(ratio(), v.description("share of the episodes that become spans")), 1),
  batch: batch("spans", 5),
  limits: section({
    attributeCount: attributeCount("a span"),
    attributeLength: attributeLength("a span"),
    eventAttributeCount: attributeCount("a span's event"),
  }),
});

function batch(what: string, delaySeconds: number) {
  return section({
    delaySeconds: v.optional(
      v.pipe(seconds(0, 3600), v.description(`how long ${what} are gathered before they are sent`)),
      delaySeconds,
    ),
    maxRecords: v.optional(v.pipe(wholeNumber(1, 100_000), v.description(`${what} in one request`)), 512),
    exportTimeoutSeconds: v.optional(
      v.pipe(seconds(0, 3600), v.description("how long one attempt may take at most; 0 is without end")),
      30,
    ),
    queueRecords: v.optional(
      v.pipe(wholeNumber(1, 10_000_000), v.description(`${what} that wait; else queue.maxRecords`)),
    ),
  });
}

function attributeCount(what: string) {
  return v.optional(v.pipe(wholeNumber(0, 100_000), v.description(`attributes of ${what} at most`)), 128);
}

function attributeLength(what: string) {
  return v.optional(
    v.pipe(
      wholeNumber(0, 1_000_000),
      v.description(`characters of each text attribute of ${what}; else all`),
    ),
  );
}
