import { ATTRIBUTES as A } from "./attributes.ts";
import { EPISODE_ENDS } from "./episode.ts";
import type { DescribedMetric } from "./metrics.ts";
import { DROP_REASONS } from "./otlp/export-counts.ts";

/** What the agent says of itself: where the kernel's truth went, and how the agent does. */
export const SELF_METRICS = {
  segmentsSeen: {
    name: "tcpretrans.segments.seen",
    unit: "{segment}",
    kind: "counter",
    description: "Retransmitted segments in the records of all network namespaces of the node",
    attributes: [A.rung, A.counting],
  },
  segmentsKernel: {
    name: "tcpretrans.segments.kernel",
    unit: "{segment}",
    kind: "counter",
    description:
      "Segments in the same namespaces and times by the kernel's counters: RetransSegs less TCPRetransFail",
    attributes: [A.rung, A.counting],
  },
  lossProbesSeen: {
    name: "tcpretrans.loss_probes.seen",
    unit: "{probe}",
    kind: "counter",
    description: "Tail loss probes that sent something, in the records of all network namespaces of the node",
    attributes: [A.rung, A.counting],
  },
  lossProbesKernel: {
    name: "tcpretrans.loss_probes.kernel",
    unit: "{probe}",
    kind: "counter",
    description: "Tail loss probes in the same namespaces and times by the kernel's counter TCPLossProbes",
    attributes: [A.rung, A.counting],
  },
  segmentsLeftOut: {
    name: "tcpretrans.segments.left_out",
    unit: "{segment}",
    kind: "counter",
    description:
      "Retransmitted segments that were seen and are in none of the four counters above: their network namespace was gone before its counters could be read, or they could be read only later",
    attributes: [],
  },
  namespacesVanished: {
    name: "tcpretrans.namespaces.vanished",
    unit: "{namespace}",
    kind: "counter",
    description:
      "Network namespaces that vanished between two readings: what they did in between is in none of those counters",
    attributes: [],
  },
  recordsLost: {
    name: "tcpretrans.records.lost",
    unit: "{record}",
    kind: "counter",
    description:
      "Records that were written and not seen: overrun (the kernel's buffer was full), fault (bytes without sense)",
    attributes: [A.reason],
    reasons: ["overrun", "fault"],
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
  waited: {
    name: "tcpretrans.names.waited",
    unit: "{event}",
    kind: "counter",
    description: "Events that waited for a name, in vain or not",
    attributes: [],
  },
  gaveUp: {
    name: "tcpretrans.names.given_up",
    unit: "{event}",
    kind: "counter",
    description:
      "Events that waited for a name in vain: timeout (the longest wait was over), overflow (others needed the room)",
    attributes: [A.reason],
    reasons: ["timeout", "overflow"],
  },
  watchAge: {
    name: "tcpretrans.watch.age",
    unit: "s",
    kind: "gauge",
    description: "Time since the API server last said anything about a resource",
    attributes: [A.resource],
  },
  watchSynced: {
    name: "tcpretrans.watch.synced",
    unit: "{resource}",
    kind: "gauge",
    description:
      "1 where all of a resource is known and followed, else 0: names are those of before, or missing",
    attributes: [A.resource],
  },
  watchProblems: {
    name: "tcpretrans.watch.problems",
    unit: "{problem}",
    kind: "counter",
    description: "Lists and watches of a resource that failed, by how",
    attributes: [A.resource, A.reason],
  },
  namesHeld: {
    name: "tcpretrans.names.held",
    unit: "{object}",
    kind: "gauge",
    description:
      "Objects of the cluster that names are made of, those that are gone and still known among them",
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
  clockSteps: {
    name: "tcpretrans.clock.steps",
    unit: "{step}",
    kind: "counter",
    description: "Times that the wall clock was found stepped: records before and after are not on one scale",
    attributes: [],
  },
  logsEmitted: {
    name: "tcpretrans.logs.emitted",
    unit: "{record}",
    kind: "counter",
    description: "Log records of single events that were made, whether or not they reach anyone",
    attributes: [],
  },
  logsSummaries: {
    name: "tcpretrans.logs.summaries",
    unit: "{record}",
    kind: "counter",
    description: "Log records that each stand for several events",
    attributes: [],
  },
  logsSummarised: {
    name: "tcpretrans.logs.summarised",
    unit: "{event}",
    kind: "counter",
    description: "Events that have no log record of their own: a summary stands for them",
    attributes: [],
  },
  episodes: {
    name: "tcpretrans.episodes",
    unit: "{episode}",
    kind: "gauge",
    description: "Loss-recovery episodes of connections that are followed now",
    attributes: [],
  },
  episodesEnded: {
    name: "tcpretrans.episodes.ended",
    unit: "{episode}",
    kind: "counter",
    description:
      "Loss-recovery episodes that ended, by how: recovered, abandoned (the kernel gave up), quiet (nothing more came), cut_short (not followed to the end)",
    attributes: [A.reason],
    reasons: EPISODE_ENDS,
  },
  episodesWithoutSpan: {
    name: "tcpretrans.episodes.without_span",
    unit: "{episode}",
    kind: "counter",
    description: "Loss-recovery episodes that have no span: too many began in one second",
    attributes: [],
  },
  episodesWithoutStall: {
    name: "tcpretrans.episodes.without_stall",
    unit: "{episode}",
    kind: "counter",
    description:
      "Loss-recovery episodes that ended and are not in tcp.stall.duration: no second event proves that the connection stood still, one retransmit was enough or the rung does not tell what was sent",
    attributes: [],
  },
  queueRecords: {
    name: "tcpretrans.queue.records",
    unit: "{record}",
    kind: "gauge",
    description: "Log records or spans that wait to be exported",
    attributes: [A.signal],
  },
  queueSize: {
    name: "tcpretrans.queue.size",
    unit: "By",
    kind: "gauge",
    description: "What those are together, encoded and compressed",
    attributes: [A.signal],
  },
  queueDropped: {
    name: "tcpretrans.queue.dropped",
    unit: "{record}",
    kind: "counter",
    description:
      "Log records or spans that reached nobody: queue_full (the oldest gave way), rejected (the receiver took the others of a request), non_retryable (it refused the request), shutdown (there was no more time)",
    attributes: [A.signal, A.reason],
    reasons: DROP_REASONS,
  },
  exported: {
    name: "tcpretrans.exported",
    unit: "{record}",
    kind: "counter",
    description: "Log records, spans or metric points that a receiver has taken",
    attributes: [A.signal],
  },
  exportFailures: {
    name: "tcpretrans.export.failures",
    unit: "{request}",
    kind: "counter",
    description:
      "Export requests that failed, by code where it is known; logs and spans are tried again, of metrics the next state goes instead",
    attributes: [A.signal, A.errorType],
  },
  httpRequests: {
    name: "tcpretrans.http.requests",
    unit: "{request}",
    kind: "counter",
    description:
      "Requests that the agent's own port has answered, refused ones too; a path that is not there has no route",
    attributes: [A.httpRoute, A.httpStatus],
  },
  httpLimited: {
    name: "tcpretrans.http.limited",
    unit: "{request}",
    kind: "counter",
    description:
      "What met a bound of the agent's own port: refused (too many requests), displaced (the idlest connection gave way), cut_off (an answer was not taken in time)",
    attributes: [A.reason],
    reasons: ["refused", "displaced", "cut_off"],
  },
  logLinesOmitted: {
    name: "tcpretrans.log_lines.omitted",
    unit: "{line}",
    kind: "counter",
    description:
      "What was not written to standard output: repeated (lines of the agent's own log; the next of its kind says how many), left_out (more was said than may be), unread (nobody reads it, or not fast enough; the events of a tick are one)",
    attributes: [A.reason],
    reasons: ["repeated", "left_out", "unread"],
  },
  rung: {
    name: "tcpretrans.rung",
    unit: "{rung}",
    kind: "gauge",
    description: "1 for the means of capture in use",
    attributes: [A.rung, A.counting],
  },
  buildInfo: {
    name: "tcpretrans.build.info",
    unit: "{build}",
    kind: "gauge",
    description: "1, with the versions of the agent and of Node.js",
    attributes: [A.version, A.runtimeVersion],
  },
  memory: {
    name: "process.memory.usage",
    unit: "By",
    kind: "updowncounter",
    description: "Resident memory of the agent",
    attributes: [],
  },
  cpuTime: {
    name: "process.cpu.time",
    unit: "s",
    kind: "counter",
    description: "Processor time that the agent has used, user and system together",
    attributes: [],
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
    description:
      "Series that ended: pod_gone (with their pod), outranked (a node pair with few segments gave its place to another), idle (nothing was counted for a long time)",
    attributes: [A.reason],
    reasons: ["pod_gone", "outranked", "idle"],
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
