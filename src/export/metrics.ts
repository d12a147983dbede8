import { ATTRIBUTES as A, type ExportedAttribute } from "./attributes.ts";
import type { MetricDefinition } from "./metric-family.ts";

/** A metric as documents describe it: a point carries some of these attributes and those of PLACE, and no others. */
export interface DescribedMetric extends MetricDefinition {
  readonly attributes: readonly ExportedAttribute[];
  /** What `tcpretrans.reason` says on it, where that is a closed set. */
  readonly reasons?: readonly string[];
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

/** What events tell of pods and their peers, and the counters of the pods' network namespaces. */
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
  sent: {
    name: "tcp.segments.sent",
    unit: "{segment}",
    kind: "counter",
    description:
      "Segments that the kernel sent for a pod with a network namespace of its own, retransmitted ones not counted: OutSegs",
    attributes: [...SOURCE, ...OVERFLOW],
    isObserved: true,
  },
  retransmitted: {
    name: "tcp.segments.retransmitted",
    unit: "{segment}",
    kind: "counter",
    description: "Segments that the kernel retransmitted in the same namespace: RetransSegs",
    attributes: [...SOURCE, ...OVERFLOW],
    isObserved: true,
  },
  timeout: {
    name: "tcp.retransmit.timeout",
    unit: "s",
    kind: "histogram",
    description: "Retransmission timeouts (RTO) that expired, of SYNs too",
    attributes: [...WORKLOAD, ...OVERFLOW],
  },
  stall: {
    name: "tcp.stall.duration",
    unit: "s",
    kind: "histogram",
    description:
      "Time that a connection stood still, at least: from the first retransmit of an episode to the last event at which it had made no progress; an episode of which no second event proves that is not in it but in tcpretrans.episodes.without_stall",
    attributes: [...WORKLOAD, ...OVERFLOW],
  },
  nodePairs: {
    name: "tcp.retransmit.node_pairs",
    unit: "{segment}",
    kind: "counter",
    description:
      "Segments that were retransmitted, by the nodes at both ends: the hundred peers that had the most of late, the rest is `other`",
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
