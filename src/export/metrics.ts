import { ATTRIBUTES as A } from "./attributes.ts";
import type { MetricDefinition } from "./metric-family.ts";

/** A metric as documents describe it: a point carries some of these attributes and those of PLACE, and no others. */
export interface DescribedMetric extends MetricDefinition {
  readonly attributes: readonly string[];
}

/** Attributes of every point of every metric. */
export const PLACE = [A.nodeName, A.clusterName] as const;

const SOURCE = [
  A.sourceKind,
  A.sourceNamespace,
  A.sourceWorkloadKind,
  A.sourceWorkloadName,
  A.sourcePod,
] as const;
const WORKLOAD = [A.sourceKind, A.sourceNamespace, A.sourceWorkloadKind, A.sourceWorkloadName] as const;
const DESTINATION = [A.destinationKind, A.destinationName, A.destinationNamespace] as const;
const OVERFLOW = [A.metricOverflow] as const;

/** What events alone tell. */
export const RETRANSMIT_METRICS = {
  segments: {
    name: "tcp.retransmit.segments",
    unit: "{segment}",
    kind: "counter",
    description:
      "Segments that were retransmitted; where the rung cannot tell how many, one for each retransmit",
    attributes: [...SOURCE, ...DESTINATION, A.retransmitType, ...OVERFLOW],
  },
  retransmits: {
    name: "tcp.retransmits",
    unit: "{retransmit}",
    kind: "counter",
    description:
      "Retransmits that were sent, each of one segment or more; 0 for every type of a pod that has had none",
    attributes: [...SOURCE, A.retransmitType, ...OVERFLOW],
  },
  failures: {
    name: "tcp.retransmit.failures",
    unit: "{retransmit}",
    kind: "counter",
    description: "Retransmits that the kernel tried and could not send",
    attributes: [...SOURCE, A.retransmitType, ...OVERFLOW],
  },
  lossProbes: {
    name: "tcp.loss_probes",
    unit: "{probe}",
    kind: "counter",
    description:
      "Tail loss probes by what became of them: those that retransmitted are also in the other metrics",
    attributes: [...SOURCE, A.outcome, ...OVERFLOW],
  },
  timeout: {
    name: "tcp.retransmit.timeout",
    unit: "s",
    kind: "histogram",
    description: "Retransmission timeouts (RTO) that expired, of SYNs too",
    attributes: [...WORKLOAD, ...OVERFLOW],
  },
  nodePairs: {
    name: "tcp.retransmit.node_pairs",
    unit: "{segment}",
    kind: "counter",
    description:
      "Segments that were retransmitted, by the nodes at both ends; a hundred peers, the rest is `other`",
    attributes: [A.sourceNode, A.destinationNode],
  },
  zonePairs: {
    name: "tcp.retransmit.zone_pairs",
    unit: "{segment}",
    kind: "counter",
    description: "Segments that were retransmitted, by the availability zones at both ends",
    attributes: [A.sourceZone, A.destinationZone, ...OVERFLOW],
  },
} as const satisfies Readonly<Record<string, DescribedMetric>>;

/** What the agent says of itself. */
export const SELF_METRICS = {
  segmentsSeen: {
    name: "tcpretrans.segments.seen",
    unit: "{segment}",
    kind: "counter",
    description: "Retransmitted segments in the records of all network namespaces of the node",
    attributes: [A.rung],
  },
  segmentsKernel: {
    name: "tcpretrans.segments.kernel",
    unit: "{segment}",
    kind: "counter",
    description:
      "Segments in the same namespaces and times by the kernel's counters: RetransSegs less TCPRetransFail",
    attributes: [A.rung],
  },
  lossProbesSeen: {
    name: "tcpretrans.loss_probes.seen",
    unit: "{probe}",
    kind: "counter",
    description: "Tail loss probes that sent something, in the records of all network namespaces of the node",
    attributes: [A.rung],
  },
  lossProbesKernel: {
    name: "tcpretrans.loss_probes.kernel",
    unit: "{probe}",
    kind: "counter",
    description: "Tail loss probes in the same namespaces and times by the kernel's counter TCPLossProbes",
    attributes: [A.rung],
  },
  namespacesVanished: {
    name: "tcpretrans.namespaces.vanished",
    unit: "{namespace}",
    kind: "counter",
    description:
      "Network namespaces that vanished between two readings: they are in none of the four counters above",
    attributes: [],
  },
  recordsLost: {
    name: "tcpretrans.records.lost",
    unit: "{record}",
    kind: "counter",
    description:
      "Records that were written and not seen: overrun (the kernel's buffer was full), fault (bytes without sense)",
    attributes: [A.reason],
  },
  probeMisses: {
    name: "tcpretrans.probe.misses",
    unit: "{miss}",
    kind: "counter",
    description: "Times that a kprobe of ours did not run because another probe ran on that CPU",
    attributes: [],
  },
  gaps: {
    name: "tcpretrans.gaps",
    unit: "{gap}",
    kind: "counter",
    description:
      "Times that another program had disabled or removed our probes, until they were in place again",
    attributes: [],
  },
  foreign: {
    name: "tcpretrans.events.foreign",
    unit: "{event}",
    kind: "counter",
    description: "Events of other nodes on the same kernel, which are left out",
    attributes: [],
  },
  undetermined: {
    name: "tcpretrans.events.undetermined",
    unit: "{event}",
    kind: "counter",
    description: "Events that may be of another node on the same kernel and are counted as this node's",
    attributes: [],
  },
  unattributed: {
    name: "tcpretrans.events.unattributed",
    unit: "{event}",
    kind: "counter",
    description: "Events with an end for which no name was found",
    attributes: [A.end],
  },
  waiting: {
    name: "tcpretrans.names.waiting",
    unit: "{event}",
    kind: "gauge",
    description: "Events that wait for a name",
    attributes: [],
  },
  gaveUp: {
    name: "tcpretrans.names.given_up",
    unit: "{event}",
    kind: "counter",
    description:
      "Events that waited for a name in vain: timeout (the longest wait was over), overflow (others needed the room)",
    attributes: [A.reason],
  },
  watchAge: {
    name: "tcpretrans.watch.age",
    unit: "s",
    kind: "gauge",
    description: "Time since the API server last said anything about a resource",
    attributes: [A.resource],
  },
  ticks: {
    name: "tcpretrans.ticks",
    unit: "{tick}",
    kind: "counter",
    description: "Times that the agent emptied the kernel's buffers",
    attributes: [],
  },
  tickTime: {
    name: "tcpretrans.tick.time",
    unit: "s",
    kind: "counter",
    description: "Time spent in ticks, from the kernel's bytes to metrics and records",
    attributes: [],
  },
  rung: {
    name: "tcpretrans.rung",
    unit: "{rung}",
    kind: "gauge",
    description: "1 for the means of capture in use",
    attributes: [A.rung],
  },
  buildInfo: {
    name: "tcpretrans.build.info",
    unit: "{build}",
    kind: "gauge",
    description: "1, with the versions of the agent and of Node.js",
    attributes: [A.version, A.runtimeVersion],
  },
  series: {
    name: "tcpretrans.series",
    unit: "{series}",
    kind: "gauge",
    description: "Series of metrics about pods and their peers, held now",
    attributes: [],
  },
  seriesEnded: {
    name: "tcpretrans.series.ended",
    unit: "{series}",
    kind: "counter",
    description: "Series that ended: pod_gone (with their pod), idle (nothing was counted for a long time)",
    attributes: [A.reason],
  },
  seriesRefused: {
    name: "tcpretrans.series.refused",
    unit: "{series}",
    kind: "counter",
    description:
      "Series for which there was no room, so that the overflow series counts what is theirs; one that comes back counts again",
    attributes: [],
  },
} as const satisfies Readonly<Record<string, DescribedMetric>>;
