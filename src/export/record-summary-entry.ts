import type { TraceNanos } from "../event/trace-nanos.ts";
import { ATTRIBUTES as A, type AttributeValue, EVENT_NAMES } from "./attributes.ts";
import { endsAttributes } from "./ends-attributes.ts";
import { countAttributes, formatTypes } from "./event-counts.ts";
import { formatEnds } from "./format-end-name.ts";
import type { LogEntry } from "./log-entry.ts";
import { recordConnection } from "./log-record-connection.ts";
import type { RecordSummary } from "./record-summary.ts";
import { resourcePod } from "./resource-pod.ts";
import { rfc3339Formatter } from "./rfc3339.ts";

/** Makes the record of a summary, at the time of its last event. */
export function summaryEntry(summary: RecordSummary, unixNanos: (time: TraceNanos) => bigint): LogEntry {
  const { counts, scope, ends, context } = summary;
  const timestamp = rfc3339Formatter();
  const timeUnixNanos = unixNanos(counts.last);
  return {
    eventName: EVENT_NAMES.summary,
    timeUnixNanos,
    body: bodyOf(summary),
    attributes: {
      ...ownAttributes(summary),
      [A.rung]: summary.latest.rung,
      [A.summaryScope]: scope,
      [A.summaryConnections]: summary.connections,
      ...countAttributes(counts),
      [A.summaryFirst]: timestamp(unixNanos(counts.first)),
      [A.summaryLast]: timestamp(timeUnixNanos),
    },
    pod: scope === "node" ? undefined : resourcePod(ends),
    context: scope === "connection" ? context : undefined,
  };
}

function ownAttributes({ scope, latest, ends }: RecordSummary): Readonly<Record<string, AttributeValue>> {
  if (scope === "node" || (scope === "pod" && ends === undefined)) return {};
  if (scope === "connection") {
    const { netns } = latest.socket;
    const { attributes } = recordConnection(latest.socket, ends);
    return netns === undefined ? attributes : { ...attributes, [A.netns]: netns };
  }
  const attributes: Record<string, AttributeValue> = {};
  for (const [key, value] of ends === undefined ? [] : endsAttributes(ends)) {
    if (value !== undefined && !key.startsWith("destination.")) attributes[key] = value;
  }
  return attributes;
}

/** `10.0.1.2:443 R> 10.0.2.3:51234 ESTABLISHED 57 events in 9.8 s (fast 54, timeout 3) default/web-0 -> default/db-1`. */
function bodyOf({ scope, counts, connections, latest, ends }: RecordSummary): string {
  const seconds = ((counts.last - counts.first) / 1e9).toFixed(1);
  const events = `${counts.events} event${counts.events === 1 ? "" : "s"}`;
  const what = `in ${seconds} s (${formatTypes(counts)})`;
  if (scope === "connection") {
    const { local, peer, names } = recordConnection(latest.socket, ends);
    return `${local} R> ${peer} ${events} ${what}${names}`;
  }
  const of = `${events} of ${connections} other connection${connections === 1 ? "" : "s"} ${what}`;
  if (scope === "node") return `${of} of this node`;
  return ends === undefined ? of : `${of} ${formatEnds(ends).source}`;
}
