import type { ATTRIBUTES, RESOURCE_ATTRIBUTES } from "./attributes.ts";

/** What carries an attribute. A record is a log record and a `--json` line; only lines: `--summary` and `--probe=counters`. */
export const CARRIERS = ["record", "summary", "span", "span event", "metric", "self-metric", "line"] as const;
export type Carrier = (typeof CARRIERS)[number];

/**
 * How far a name can be relied on. The first three are those of OpenTelemetry's semantic conventions 1.44; `proposed` is
 * of an open proposal; `own` is this project's.
 */
export type Stability = "stable" | "release candidate" | "development" | "proposed" | "own";

export interface AttributeDoc {
  readonly type: "string" | "int" | "double" | "boolean" | "string[]" | "map";
  /** Not given: `own`. */
  readonly stability?: Stability;
  readonly example: string;
  readonly meaning: string;
}

/** An attribute of what is exported, and of what exactly. */
export interface SignalAttributeDoc extends AttributeDoc {
  readonly on: readonly Carrier[];
}

const EVENT = ["record"] as const;
const ENDS_AND_METRICS = ["record", "summary", "span", "metric"] as const;
const CONNECTION = ["record", "summary", "span"] as const;
const COUNTS = ["summary", "span", "line"] as const;
const LINE = ["line"] as const;
const SELF = ["self-metric"] as const;
const PLACE = ["metric", "self-metric"] as const;
const SOME = ["record", "span event"] as const;

/** What each attribute is; docs/telemetry.md is made of it. Not part of the program. */
export const ATTRIBUTE_DOCS: Readonly<Record<keyof typeof ATTRIBUTES, SignalAttributeDoc>> = {
  timestamp: {
    type: "string",
    on: LINE,
    example: "2026-11-26T10:15:02.123456789Z",
    meaning:
      "time of the kernel's clock, RFC 3339 in UTC with nanoseconds; a log record has it as its timestamp",
  },
  eventName: {
    type: "string",
    on: LINE,
    example: "tcp.retransmit",
    meaning: "what the line is; a log record has it as its event name",
  },
  sourceAddress: {
    type: "string",
    stability: "development",
    on: CONNECTION,
    example: "10.0.1.2",
    meaning: "the local end's address; a v4-mapped one as IPv4",
  },
  sourcePort: {
    type: "int",
    stability: "development",
    on: CONNECTION,
    example: "443",
    meaning: "the local end's port",
  },
  destinationAddress: {
    type: "string",
    stability: "development",
    on: CONNECTION,
    example: "10.0.2.3",
    meaning: "the peer's address as the socket knows it: with kube-proxy a service's",
  },
  destinationPort: {
    type: "int",
    stability: "development",
    on: CONNECTION,
    example: "51234",
    meaning: "the peer's port as the socket knows it",
  },
  networkType: {
    type: "string",
    stability: "stable",
    on: CONNECTION,
    example: "ipv4",
    meaning: "`ipv4` or `ipv6`",
  },
  networkTransport: {
    type: "string",
    stability: "stable",
    on: CONNECTION,
    example: "tcp",
    meaning: "always `tcp`",
  },
  connectionState: {
    type: "string",
    stability: "development",
    on: CONNECTION,
    example: "established",
    meaning: "OpenTelemetry's word for the socket's state; no key where it has none",
  },
  tcpState: {
    type: "string",
    on: CONNECTION,
    example: "ESTABLISHED",
    meaning:
      "the kernel's name of the socket's state; `NEW_SYN_RECV` is a half-open connection of a listener",
  },
  retransmitType: {
    type: "string",
    stability: "proposed",
    on: ["record", "span event", "metric"],
    example: "timeout",
    meaning:
      "why: `timeout` `fast` `slow_start` `tail_loss_probe` `syn` `syn_ack` `reordering` `mtu` `window_probe` `other`",
  },
  outcome: {
    type: "string",
    on: ["record", "span event", "metric"],
    example: "sent",
    meaning:
      "what became of it: `sent` `failed`; of a loss probe `sent` (it retransmitted) `new_data` `nothing` `unknown`",
  },
  segments: {
    type: "int",
    on: SOME,
    example: "3",
    meaning: "segments that the event sent, 0 where it failed; no key where the rung cannot tell",
  },
  errorType: {
    type: "string",
    stability: "stable",
    on: ["record", "span event", "self-metric"],
    example: "EHOSTUNREACH",
    meaning:
      "why it failed, where that is told: of a retransmit (kernels since 6.17) an errno name or `NET_XMIT_DROP`; of an export gRPC's status, an HTTP status or an errno name",
  },
  retransmitCount: {
    type: "int",
    on: SOME,
    example: "2",
    meaning: "`icsk_retransmits`: timeouts in a row so far; progress sets it to 0",
  },
  backoff: {
    type: "int",
    on: ["record", "summary", "span", "span event"],
    example: "1",
    meaning: "`icsk_backoff`: doublings of the RTO; of several events the most",
  },
  rto: {
    type: "double",
    on: SOME,
    example: "0.204",
    meaning: "the socket's retransmission timeout in seconds",
  },
  srtt: {
    type: "double",
    on: EVENT,
    example: "0.000045",
    meaning: "the socket's smoothed round-trip time in seconds",
  },
  cwnd: { type: "int", on: EVENT, example: "10", meaning: "congestion window in segments" },
  mss: { type: "int", on: EVENT, example: "1448", meaning: "bytes of a full segment" },
  packetsOut: { type: "int", on: EVENT, example: "12", meaning: "segments sent and not acknowledged" },
  retransOut: { type: "int", on: EVENT, example: "1", meaning: "of those, retransmitted ones" },
  lostOut: { type: "int", on: EVENT, example: "2", meaning: "of those, ones that the kernel takes for lost" },
  totalRetrans: {
    type: "int",
    on: EVENT,
    example: "31",
    meaning: "segments that the socket has retransmitted in its life",
  },
  bytesRetrans: {
    type: "int",
    on: EVENT,
    example: "44888",
    meaning: "bytes that the socket has retransmitted in its life; above 2^53 a string",
  },
  seq: {
    type: "int",
    on: EVENT,
    example: "1000",
    meaning: "first sequence number of the retransmitted data",
  },
  endSeq: { type: "int", on: EVENT, example: "2448", meaning: "sequence number after that data" },
  flags: { type: "int", on: EVENT, example: "24", meaning: "TCP flags of the retransmitted segment" },
  caState: {
    type: "string",
    on: EVENT,
    example: "Recovery",
    meaning: "the socket's congestion state: `Open` `Disorder` `CWR` `Recovery` `Loss`",
  },
  netns: {
    type: "int",
    on: ["record", "summary", "span", "line"],
    example: "4026531840",
    meaning: "inode number of the socket's network namespace",
  },
  cgroupId: {
    type: "string",
    on: EVENT,
    example: "8245",
    meaning: "id of the socket's cgroup (v2): the inode number of its directory",
  },
  pid: {
    type: "int",
    stability: "release candidate",
    on: EVENT,
    example: "0",
    meaning: "the task that was on the CPU, often 0 and seldom the socket's owner",
  },
  rung: {
    type: "string",
    on: ["record", "summary", "span", "self-metric"],
    example: "kprobe",
    meaning: "the means of capture: `kprobe` `eprobe` `tracepoint`",
  },
  ownership: {
    type: "string",
    on: CONNECTION,
    example: "undetermined",
    meaning: "`undetermined` where the event may be of another node on the same kernel; else no key",
  },
  sourceKind: {
    type: "string",
    on: ENDS_AND_METRICS,
    example: "pod",
    meaning: "what the local end is: `pod` `node` `process` `unknown`",
  },
  sourceName: {
    type: "string",
    on: CONNECTION,
    example: "shop/cart-7d4f9c-x2x",
    meaning: "the one name to show: `namespace/name` of a pod, a node's or unit's name, `unknown`",
  },
  sourceAttribution: {
    type: "string",
    on: CONNECTION,
    example: "cgroup",
    meaning: "how the name was found: `cgroup` `netns` `address` `tombstone` `node` `none`",
  },
  sourceNamespace: {
    type: "string",
    on: ENDS_AND_METRICS,
    example: "shop",
    meaning: "the local pod's namespace",
  },
  sourcePod: { type: "string", on: ENDS_AND_METRICS, example: "cart-7d4f9c-x2x", meaning: "the local pod" },
  sourcePodUid: {
    type: "string",
    on: CONNECTION,
    example: "0d6c2e1c-64f5-4bb7-8b0c-2f0f1c9c4a55",
    meaning: "its uid",
  },
  sourceContainer: {
    type: "string",
    on: CONNECTION,
    example: "app",
    meaning: "its container, where the socket's cgroup tells it",
  },
  sourceWorkloadKind: {
    type: "string",
    on: ENDS_AND_METRICS,
    example: "Deployment",
    meaning: "the kind of its top owner, or `Pod`",
  },
  sourceWorkloadName: {
    type: "string",
    on: ENDS_AND_METRICS,
    example: "cart",
    meaning: "the name of its top owner, or its own",
  },
  sourceWorkloadInferred: {
    type: "boolean",
    on: CONNECTION,
    example: "true",
    meaning: "`true` where a pattern in names told the owner; else no key",
  },
  sourceNode: {
    type: "string",
    on: ENDS_AND_METRICS,
    example: "node-a",
    meaning: "the node of the local end",
  },
  sourceZone: { type: "string", on: ENDS_AND_METRICS, example: "eu-1a", meaning: "the zone of that node" },
  destinationKind: {
    type: "string",
    on: ENDS_AND_METRICS,
    example: "pod",
    meaning:
      "what the peer is: `pod` `service` `node` `process` `cidr` `external` `unknown`; in metrics `workload` for a pod, unless the detail is `peer-pod`",
  },
  destinationName: {
    type: "string",
    on: ENDS_AND_METRICS,
    example: "shop/prices-6b7d-k9k",
    meaning:
      "the one name to show: `namespace/name` of a pod, workload or service, a node's, unit's or range's name, `external` (certainly outside), `unknown`",
  },
  destinationAttribution: {
    type: "string",
    on: CONNECTION,
    example: "conntrack",
    meaning: "how the name was found: as of the source, and `conntrack` `endpointslice` `cidr`",
  },
  destinationHint: {
    type: "string",
    on: CONNECTION,
    example: "pod_not_ready",
    meaning:
      "what of the peer's state most likely explains it: `pod_deleted` `pod_terminating` `pod_not_ready` `no_endpoints` `node_not_ready` `node_cordoned`",
  },
  destinationHintAge: {
    type: "double",
    on: CONNECTION,
    example: "12.5",
    meaning: "seconds from that change to the event, where the API tells when",
  },
  destinationService: {
    type: "string",
    on: CONNECTION,
    example: "prices",
    meaning: "the service that was addressed; its backend, where known, is the pod",
  },
  destinationCandidates: {
    type: "string[]",
    on: CONNECTION,
    example: '["prices","prices-canary"]',
    meaning: "the services that may have been addressed, where it may be several",
  },
  destinationNamespace: {
    type: "string",
    on: ENDS_AND_METRICS,
    example: "shop",
    meaning: "the namespace of the peer's pod or service",
  },
  destinationPod: { type: "string", on: CONNECTION, example: "prices-6b7d-k9k", meaning: "the peer's pod" },
  destinationPodUid: {
    type: "string",
    on: CONNECTION,
    example: "5b0f1f6a-9c55-4d0f-8f8b-61a1f2a9d9c1",
    meaning: "its uid",
  },
  destinationContainer: {
    type: "string",
    on: CONNECTION,
    example: "app",
    meaning: "its container, where it is on this node and its cgroup tells it",
  },
  destinationWorkloadKind: {
    type: "string",
    on: CONNECTION,
    example: "Deployment",
    meaning: "the kind of its top owner, or `Pod`",
  },
  destinationWorkloadName: {
    type: "string",
    on: CONNECTION,
    example: "prices",
    meaning: "the name of its top owner, or its own",
  },
  destinationWorkloadInferred: {
    type: "boolean",
    on: CONNECTION,
    example: "true",
    meaning: "`true` where a pattern in names told the owner; else no key",
  },
  destinationNode: {
    type: "string",
    on: ENDS_AND_METRICS,
    example: "node-b",
    meaning: "the node of the peer; in `tcp.retransmit.node_pairs` also `other`",
  },
  destinationZone: {
    type: "string",
    on: ENDS_AND_METRICS,
    example: "eu-1b",
    meaning: "the zone of that node",
  },
  kernelStack: {
    type: "string[]",
    on: EVENT,
    example: '["tcp_retransmit_skb+0x5"]',
    meaning: "functions of the kernel's stack, innermost first; only where stacks are asked for",
  },
  summaryRetransmits: {
    type: "int",
    on: COUNTS,
    example: "57",
    meaning: "retransmits that were sent, among the events",
  },
  summarySegments: {
    type: "int",
    on: COUNTS,
    example: "61",
    meaning: "segments of those; one is assumed where the rung cannot tell",
  },
  summaryFailures: { type: "int", on: COUNTS, example: "0", meaning: "retransmits that failed" },
  summaryLossProbes: {
    type: "int",
    on: COUNTS,
    example: "3",
    meaning: "tail loss probes, whatever became of them",
  },
  summaryTypes: { type: "map", on: LINE, example: '{"fast":54}', meaning: "segments by type" },
  summaryConnections: {
    type: "int",
    on: ["summary", "line"],
    example: "1",
    meaning:
      "different connections that the record stands for; at least so many where they are more than 16,384",
  },
  summaryPairs: { type: "int", on: LINE, example: "12", meaning: "pairs of names that the line stands for" },
  summaryFirst: {
    type: "string",
    on: ["summary", "line"],
    example: "2026-11-26T10:15:02.123456789Z",
    meaning: "time of the first event",
  },
  summaryLast: {
    type: "string",
    on: ["summary", "line"],
    example: "2026-11-26T10:15:12.001Z",
    meaning: "time of the last event",
  },
  segmentsSent: {
    type: "int",
    on: LINE,
    example: "10250",
    meaning: "`OutSegs` of the network namespace: segments sent, without retransmits",
  },
  segmentsRetransmitted: {
    type: "int",
    on: LINE,
    example: "31",
    meaning: "`RetransSegs` of the network namespace",
  },
  countFast: { type: "int", on: LINE, example: "20", meaning: "the kernel's counter of that name" },
  countSlowStart: { type: "int", on: LINE, example: "3", meaning: "the kernel's counter of that name" },
  countTimeouts: { type: "int", on: LINE, example: "5", meaning: "the kernel's counter of that name" },
  countLossProbes: { type: "int", on: LINE, example: "4", meaning: "the kernel's counter of that name" },
  countSyn: { type: "int", on: LINE, example: "1", meaning: "the kernel's counter of that name" },
  countFailed: { type: "int", on: LINE, example: "0", meaning: "the kernel's counter of that name" },
  nodeName: {
    type: "string",
    stability: "stable",
    on: PLACE,
    example: "node-a",
    meaning: "the agent's node",
  },
  clusterName: {
    type: "string",
    stability: "stable",
    on: PLACE,
    example: "prod",
    meaning: "the cluster's name, where the configuration has one",
  },
  metricOverflow: {
    type: "boolean",
    stability: "stable",
    on: ["metric"],
    example: "true",
    meaning:
      "`true` on the one point of all series that had no room; it has none of the other attributes but the node and the cluster",
  },
  reason: {
    type: "string",
    on: SELF,
    example: "overrun",
    meaning: "why; the metric says which words there are",
  },
  end: {
    type: "string",
    on: SELF,
    example: "destination",
    meaning: "which end has no name: `source` or `destination`",
  },
  resource: {
    type: "string",
    on: SELF,
    example: "pods",
    meaning: "a resource of the API server, in its words",
  },
  signal: { type: "string", on: SELF, example: "logs", meaning: "`logs`, `metrics` or `traces`" },
  counting: {
    type: "string",
    on: SELF,
    example: "exact",
    meaning: "`exact`, or `estimated` where the rung cannot tell how many segments an event sent",
  },
  httpRoute: {
    type: "string",
    stability: "stable",
    on: SELF,
    example: "/metrics",
    meaning: "which page of the agent's own port",
  },
  httpStatus: {
    type: "int",
    stability: "stable",
    on: SELF,
    example: "200",
    meaning: "the status of the answer",
  },
  version: {
    type: "string",
    stability: "stable",
    on: SELF,
    example: "0.1.0",
    meaning: "the agent's version",
  },
  runtimeVersion: {
    type: "string",
    stability: "release candidate",
    on: SELF,
    example: "26.10.0",
    meaning: "the version of Node.js that it runs on",
  },
  summaryEvents: {
    type: "int",
    on: ["summary", "span"],
    example: "60",
    meaning: "events that the record or span stands for: retransmits, failed ones too, and tail loss probes",
  },
  summaryScope: {
    type: "string",
    on: ["summary"],
    example: "connection",
    meaning: "whose they are: one `connection`'s, a `pod`'s other ones', or the `node`'s other ones",
  },
  summaryByType: {
    type: "int",
    on: ["summary", "span"],
    example: "54",
    meaning:
      "begins one key for each type that came, such as `tcp.retransmit.by_type.fast`: events of that type",
  },
  episodeEnd: {
    type: "string",
    on: ["span"],
    example: "recovered",
    meaning:
      "how the episode ended: `recovered`, `abandoned` (the kernel gave up), `quiet` (nothing more came), `cut_short` (not followed to the end)",
  },
  stallMin: {
    type: "double",
    on: ["span"],
    example: "0.6",
    meaning: "seconds that data stayed unacknowledged, at least",
  },
  stallMax: {
    type: "double",
    on: ["span"],
    example: "0.8",
    meaning: "seconds that it did at most; no key where nothing bounds it",
  },
};

/** What each attribute of a resource is. */
export const RESOURCE_DOCS: Readonly<Record<keyof typeof RESOURCE_ATTRIBUTES, AttributeDoc>> = {
  serviceName: {
    type: "string",
    stability: "stable",
    example: "tcpretrans",
    meaning:
      "`tcpretrans`, unless told otherwise; of a pod its annotation `resource.opentelemetry.io/service.name`, else its label `app.kubernetes.io/instance` or `…/name`, else its workload",
  },
  serviceNamespace: {
    type: "string",
    stability: "stable",
    example: "shop",
    meaning: "of a pod: its namespace",
  },
  serviceVersion: {
    type: "string",
    stability: "stable",
    example: "0.1.0",
    meaning: "the agent's version; of a pod its label `app.kubernetes.io/version`",
  },
  serviceInstanceId: {
    type: "string",
    stability: "stable",
    example: "tcpretrans.tcpretrans-x7k2p.agent",
    meaning:
      "`namespace.pod.container`, on a host without Kubernetes the host's name: the same after a restart",
  },
  hostName: {
    type: "string",
    stability: "development",
    example: "node-a",
    meaning: "the node's name; without Kubernetes the host's",
  },
  clusterName: {
    type: "string",
    stability: "stable",
    example: "prod",
    meaning: "the cluster's name, where the configuration has one",
  },
  nodeName: { type: "string", stability: "stable", example: "node-a", meaning: "the node" },
  namespaceName: {
    type: "string",
    stability: "stable",
    example: "tcpretrans",
    meaning: "the namespace of the agent's own pod, or of the pod",
  },
  podName: {
    type: "string",
    stability: "stable",
    example: "tcpretrans-x7k2p",
    meaning: "the agent's own pod, or the pod",
  },
  podUid: {
    type: "string",
    stability: "stable",
    example: "0d6c2e1c-64f5-4bb7-8b0c-2f0f1c9c4a55",
    meaning: "of a pod: its uid",
  },
  containerName: {
    type: "string",
    stability: "stable",
    example: "agent",
    meaning: "the agent's own container; of a pod where it has one only",
  },
  deploymentName: {
    type: "string",
    stability: "stable",
    example: "cart",
    meaning: "of a pod whose top owner is one",
  },
  replicaSetName: {
    type: "string",
    stability: "stable",
    example: "cart-7d4f9c",
    meaning: "of a pod whose top owner is one",
  },
  statefulSetName: {
    type: "string",
    stability: "stable",
    example: "db",
    meaning: "of a pod whose top owner is one",
  },
  daemonSetName: {
    type: "string",
    stability: "stable",
    example: "proxy",
    meaning: "of a pod whose top owner is one",
  },
  jobName: {
    type: "string",
    stability: "stable",
    example: "import",
    meaning: "of a pod whose top owner is one",
  },
  cronJobName: {
    type: "string",
    stability: "stable",
    example: "nightly",
    meaning: "of a pod whose top owner is one",
  },
};
