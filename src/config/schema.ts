import * as v from "valibot";
import { OTLP_SCHEMA } from "./otlp-schema.ts";
import {
  absolutePath,
  attributes,
  cidr,
  flag,
  listenAddress,
  namedCidr,
  oneOf,
  ratio,
  seconds,
  text,
  wholeNumber,
} from "./value-schemas.ts";

const NOT_A_SECTION = "give keys with their values, or leave it out";
const EXPORTERS = ["otlp", "console", "none"] as const;

const kubernetes = section({
  enabled: v.optional(
    v.pipe(
      v.union([v.literal("auto"), v.boolean()], "give one of auto, true, false"),
      v.description("name pods, services and nodes; auto: in a pod, or where a kubeconfig is given"),
    ),
    "auto",
  ),
  kubeconfig: v.optional(
    v.pipe(text("the name of a file"), v.description("how to reach the API server; else as kubectl")),
  ),
  nodeName: v.optional(
    v.pipe(
      text("the node's name in Kubernetes"),
      v.description("this node's name; else found by its addresses"),
    ),
  ),
  scope: v.optional(
    v.pipe(oneOf("local", "cluster"), v.description("watch the pods of this node (local) or all (cluster)")),
    "cluster",
  ),
  clusterCidrs: v.optional(
    v.pipe(
      v.array(cidr(), "give a list of ranges"),
      v.description("a range that is the cluster's own (repeatable)"),
    ),
    [],
  ),
  serviceCidrs: v.optional(
    v.pipe(flag(), v.description("read the service ranges (needs list on servicecidrs)")),
    false,
  ),
  socketLevelServices: v.optional(
    v.pipe(flag(), v.description("services are resolved at the socket, as by Cilium")),
    false,
  ),
  netnsPath: v.optional(
    v.pipe(
      absolutePath("a directory"),
      v.description("where the network namespaces of this node's pods are"),
    ),
    "/var/run/netns",
  ),
  tombstones: section({
    seconds: v.optional(
      v.pipe(wholeNumber(0, 86_400), v.description("how long what is gone stays known")),
      600,
    ),
    count: v.optional(v.pipe(wholeNumber(0, 1_000_000), v.description("how many of them at most")), 20_000),
  }),
});

const names = section({
  cidrs: v.optional(
    v.pipe(
      v.array(namedCidr(), "give a list of names with ranges"),
      v.description("name a range outside the cluster (repeatable)"),
    ),
    [],
  ),
});

const host = section({
  procPath: v.optional(
    v.pipe(absolutePath("a directory"), v.description("the host's /proc, as this process sees it")),
    "/proc",
  ),
  cgroupPath: v.optional(
    v.pipe(absolutePath("a directory"), v.description("the host's cgroup tree; else found in mountinfo")),
  ),
  tracefsPath: v.optional(
    v.pipe(absolutePath("a directory"), v.description("the host's tracefs; else found, or mounted")),
  ),
});

const capture = section({
  probe: v.optional(
    v.pipe(
      oneOf("auto", "kprobe", "eprobe", "tracepoint"),
      v.description("how to capture; auto: the highest that works"),
    ),
    "auto",
  ),
  bufferSizeKb: v.optional(
    v.pipe(wholeNumber(8, 1_048_576), v.description("ring buffer of each CPU in KiB")),
    4096,
  ),
});

const http = section({
  enabled: v.optional(v.pipe(flag(), v.description("serve /livez, /readyz, /metrics and the page")), true),
  host: v.optional(
    v.pipe(listenAddress(), v.description("where to listen; in a pod its address")),
    "127.0.0.1",
  ),
  port: v.optional(v.pipe(wholeNumber(0, 65_535), v.description("the port; 0 takes any that is free")), 9464),
});

const events = section({
  output: v.optional(
    v.pipe(
      oneOf("auto", "lines", "json", "none"),
      v.description("events on the output; auto: lines on a terminal, else JSON"),
    ),
    "auto",
  ),
});

const log = section({
  level: v.optional(
    v.pipe(
      oneOf("debug", "info", "warn", "error"),
      v.description("the least that is said of the agent itself"),
    ),
    "info",
  ),
  format: v.optional(
    v.pipe(oneOf("auto", "json", "lines"), v.description("how; auto: lines on a terminal, else JSON")),
    "auto",
  ),
});

const metrics = section({
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

const logs = section({
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

const traces = section({
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

const queue = section({
  maxBytes: v.optional(
    v.pipe(
      wholeNumber(65_536, 4_294_967_296),
      v.description("what waits for the receiver, in bytes as sent"),
    ),
    33_554_432,
  ),
  maxRecords: v.optional(
    v.pipe(wholeNumber(1, 10_000_000), v.description("log records and spans that wait for the receiver")),
    100_000,
  ),
});

const resource = section({
  mode: v.optional(
    v.pipe(
      oneOf("agent", "pod"),
      v.description("whose resource logs and spans carry: the agent's or the local pod's"),
    ),
    "agent",
  ),
  serviceName: v.optional(v.pipe(text("a name"), v.description("service.name of the agent (tcpretrans)"))),
  clusterName: v.optional(
    v.pipe(text("the cluster's name"), v.description("k8s.cluster.name, on every data point too")),
  ),
  attributes: v.optional(v.pipe(attributes(), v.description("more attributes of the agent's resource")), {}),
});

const shutdown = section({
  graceSeconds: v.optional(
    v.pipe(seconds(0, 3600), v.description("how long ending may take, with what is still to be sent")),
    20,
  ),
});

/** Every setting with its type, bounds, default and meaning: the one place that says what a configuration may hold. */
export const CONFIG_SCHEMA = v.strictObject(
  {
    kubernetes,
    names,
    host,
    capture,
    http,
    events,
    log,
    metrics,
    logs,
    traces,
    otlp: v.nullish(OTLP_SCHEMA, {}),
    queue,
    resource,
    shutdown,
    demo: v.optional(v.pipe(flag(), v.description("make a lossy link with traffic, and show that")), false),
  },
  NOT_A_SECTION,
);

/** What a file may hold. */
export type ConfigInput = v.InferInput<typeof CONFIG_SCHEMA>;

/** Every setting as it was given, or its default. */
export type Settings = v.InferOutput<typeof CONFIG_SCHEMA>;

function section<T extends v.ObjectEntries>(entries: T) {
  return v.nullish(v.strictObject(entries, NOT_A_SECTION), {} as never);
}

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
