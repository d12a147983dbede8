import * as v from "valibot";
import { OTLP_SECTION } from "./otlp-schema.ts";
import { section } from "./section.ts";
import { LOGS_SECTION, METRICS_SECTION, TRACES_SECTION } from "./signals-schema.ts";
import {
  absolutePath,
  attributes,
  cidr,
  flag,
  listenAddress,
  namedCidr,
  oneOf,
  seconds,
  text,
  wholeNumber,
} from "./value-schemas.ts";

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
      v.description("ranges that are the cluster's own, beside those that the API tells"),
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
      v.description("names of ranges outside the cluster, each shown for its addresses"),
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
    v.pipe(listenAddress(), v.description("where to listen; :: is every address")),
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
      v.description("whose resource carries what is about a local pod: the agent's or the pod's"),
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
    metrics: METRICS_SECTION,
    logs: LOGS_SECTION,
    traces: TRACES_SECTION,
    otlp: OTLP_SECTION,
    queue,
    resource,
    shutdown,
    demo: v.optional(v.pipe(flag(), v.description("make a lossy link with traffic, and show that")), false),
  },
  "give keys with their values",
);

/** Every setting as it was given, or its default. */
export type Settings = v.InferOutput<typeof CONFIG_SCHEMA>;
