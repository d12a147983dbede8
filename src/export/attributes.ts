import { TCP_STATE_NAMES } from "../event/kernel-tcp.ts";
import { CAUSES, type Cause, type KernelStack } from "../event/tcp-event.ts";

/** Every exported name, once. The order is that of the keys of a `--json` line. */
export const ATTRIBUTES = {
  timestamp: "timestamp",
  eventName: "event.name",
  sourceAddress: "source.address",
  sourcePort: "source.port",
  destinationAddress: "destination.address",
  destinationPort: "destination.port",
  networkType: "network.type",
  networkTransport: "network.transport",
  connectionState: "network.connection.state",
  tcpState: "tcp.state",
  retransmitType: "network.tcp.retransmit.type",
  outcome: "tcp.retransmit.outcome",
  segments: "tcp.segments",
  errorType: "error.type",
  retransmitCount: "tcp.retransmit.count",
  backoff: "tcp.backoff",
  rto: "tcp.rto",
  srtt: "tcp.srtt",
  cwnd: "tcp.cwnd",
  mss: "tcp.mss",
  packetsOut: "tcp.packets_out",
  retransOut: "tcp.retrans_out",
  lostOut: "tcp.lost_out",
  totalRetrans: "tcp.total_retrans",
  bytesRetrans: "tcp.bytes_retrans",
  seq: "tcp.seq",
  endSeq: "tcp.end_seq",
  flags: "tcp.flags",
  caState: "tcp.ca_state",
  netns: "linux.network_namespace.inum",
  cgroupId: "linux.cgroup.id",
  pid: "process.pid",
  rung: "probe.rung",
  /** Names of the ends; only where they are asked for. The kinds, methods and hints are those of event/end-name.ts. */
  ownership: "tcpretrans.ownership",
  sourceKind: "source.kind",
  sourceName: "source.name",
  sourceAttribution: "source.attribution",
  sourceNamespace: "source.k8s.namespace.name",
  sourcePod: "source.k8s.pod.name",
  sourcePodUid: "source.k8s.pod.uid",
  sourceContainer: "source.k8s.container.name",
  sourceWorkloadKind: "source.k8s.workload.kind",
  sourceWorkloadName: "source.k8s.workload.name",
  sourceWorkloadInferred: "source.k8s.workload.inferred",
  sourceNode: "source.k8s.node.name",
  sourceZone: "source.cloud.availability_zone",
  destinationKind: "destination.kind",
  destinationName: "destination.name",
  destinationAttribution: "destination.attribution",
  destinationHint: "destination.hint",
  destinationHintAge: "destination.hint.age",
  destinationService: "destination.k8s.service.name",
  destinationCandidates: "destination.k8s.service.candidates",
  destinationNamespace: "destination.k8s.namespace.name",
  destinationPod: "destination.k8s.pod.name",
  destinationPodUid: "destination.k8s.pod.uid",
  destinationContainer: "destination.k8s.container.name",
  destinationWorkloadKind: "destination.k8s.workload.kind",
  destinationWorkloadName: "destination.k8s.workload.name",
  destinationWorkloadInferred: "destination.k8s.workload.inferred",
  destinationNode: "destination.k8s.node.name",
  destinationZone: "destination.cloud.availability_zone",
  /** Names of the kernel's functions, innermost first; only with stacks. */
  kernelStack: "linux.kernel.stack",
  /** Keys of summary lines only. */
  summaryRetransmits: "tcp.retransmits",
  summarySegments: "tcp.retransmit.segments",
  summaryFailures: "tcp.retransmit.failures",
  summaryLossProbes: "tcp.loss_probes",
  summaryTypes: "tcp.retransmit.types",
  summaryConnections: "tcp.retransmit.connections",
  summaryPairs: "tcp.retransmit.pairs",
  summaryFirst: "tcp.retransmit.first",
  summaryLast: "tcp.retransmit.last",
  /** Keys of `--probe=counters` lines only: what the kernel counted in a network namespace. */
  segmentsSent: "tcp.segments.sent",
  segmentsRetransmitted: "tcp.segments.retransmitted",
  countFast: "linux.tcp_ext.TCPFastRetrans",
  countSlowStart: "linux.tcp_ext.TCPSlowStartRetrans",
  countTimeouts: "linux.tcp_ext.TCPTimeouts",
  countLossProbes: "linux.tcp_ext.TCPLossProbes",
  countSyn: "linux.tcp_ext.TCPSynRetrans",
  countFailed: "linux.tcp_ext.TCPRetransFail",
  /** Keys of metric points only: the agent's own place, and the point of all series that had no room. */
  nodeName: "k8s.node.name",
  clusterName: "k8s.cluster.name",
  metricOverflow: "otel.metric.overflow",
  /** Keys of the agent's own metrics only. */
  reason: "tcpretrans.reason",
  end: "tcpretrans.end",
  resource: "tcpretrans.resource",
  signal: "tcpretrans.signal",
  counting: "tcpretrans.counting",
  httpRoute: "http.route",
  httpStatus: "http.response.status_code",
  version: "service.version",
  runtimeVersion: "process.runtime.version",
  /** Keys of summary records and of spans only: how many events, of how many connections, and what they have in common. */
  summaryEvents: "tcp.retransmit.events",
  summaryScope: "tcp.retransmit.scope",
  /** Begins the keys of TYPE_KEYS. */
  summaryByType: "tcp.retransmit.by_type",
  /** Keys of spans only. */
  episodeEnd: "tcp.episode.end",
  stallMin: "tcp.stall.min",
  stallMax: "tcp.stall.max",
} as const;

/** Any of them. */
export type ExportedAttribute = (typeof ATTRIBUTES)[keyof typeof ATTRIBUTES];

/** The values of `event.name`. */
export const EVENT_NAMES = {
  retransmit: "tcp.retransmit",
  loss_probe: "tcp.loss_probe",
  summary: "tcp.retransmit.summary",
  counters: "tcp.retransmit.counters",
} as const;

/** The name of every span: a connection's loss, from its first retransmit on. */
export const SPAN_NAME = "tcp loss recovery";

/** `tcp.retransmit.by_type.timeout` and so on: events of each type, in summary records and spans. */
export const TYPE_KEYS = Object.fromEntries(
  CAUSES.map((cause) => [cause, `${ATTRIBUTES.summaryByType}.${cause}`]),
) as Readonly<Record<Cause, string>>;

/**
 * `network.connection.state` of the semantic conventions by the kernel's state number; undefined where they
 * have no word. A request socket (NEW_SYN_RECV) has received a SYN.
 */
export const CONNECTION_STATES: readonly (string | undefined)[] = [
  undefined,
  "established",
  "syn_sent",
  "syn_received",
  "fin_wait_1",
  "fin_wait_2",
  "time_wait",
  "closed",
  "close_wait",
  "last_ack",
  "listen",
  "closing",
  "syn_received",
];

/** Names of a kernel stack's functions, innermost first; an address itself never leaves the process. */
export type StackNames = (stack: KernelStack) => readonly string[];

/** A value of an event's attribute. */
export type AttributeValue = string | number | boolean | readonly string[];

/** An attribute's key and value; an undefined one has no key. */
export type Attribute = readonly [key: string, value: AttributeValue | undefined];

/** The kernel's name of a state, `UNKNOWN` for a number that it has none for. */
export function stateName(state: number): string {
  return TCP_STATE_NAMES[state] ?? "UNKNOWN";
}

/** A number where it is exact, else its decimal digits. */
export function exactInteger(value: bigint): number | string;
export function exactInteger(value: bigint | undefined): number | string | undefined;
export function exactInteger(value: bigint | undefined): number | string | undefined {
  if (value === undefined) return undefined;
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value.toString();
}

/** Keys of resources only: what everything of one source has in common. */
export const RESOURCE_ATTRIBUTES = {
  serviceName: "service.name",
  serviceNamespace: "service.namespace",
  serviceVersion: "service.version",
  serviceInstanceId: "service.instance.id",
  hostName: "host.name",
  clusterName: "k8s.cluster.name",
  nodeName: "k8s.node.name",
  namespaceName: "k8s.namespace.name",
  podName: "k8s.pod.name",
  podUid: "k8s.pod.uid",
  containerName: "k8s.container.name",
  deploymentName: "k8s.deployment.name",
  replicaSetName: "k8s.replicaset.name",
  statefulSetName: "k8s.statefulset.name",
  daemonSetName: "k8s.daemonset.name",
  jobName: "k8s.job.name",
  cronJobName: "k8s.cronjob.name",
} as const;

/** Attributes whose numbers are doubles, whole or not. */
export const DOUBLE_ATTRIBUTES: ReadonlySet<string> = new Set([
  ATTRIBUTES.rto,
  ATTRIBUTES.srtt,
  ATTRIBUTES.destinationHintAge,
  ATTRIBUTES.stallMin,
  ATTRIBUTES.stallMax,
]);
