import type { Cause } from "../event/tcp-event.ts";
import { ATTRIBUTES, EVENT_NAMES } from "./attributes.ts";
import { rfc3339Formatter, timeOfDayFormatter } from "./rfc3339.ts";
import type { ConnectionTally, SummaryView, Tally } from "./summary.ts";
import { formatEnd } from "./table.ts";

export interface SummaryTextOptions {
  /** Minutes east of UTC at a time, for the FIRST and LAST columns. */
  readonly utcOffsetMinutes: (unixSeconds: number) => number;
}

/** A summary as two tables, per connection and per cause, most segments first. */
export function formatSummary(view: SummaryView, { utcOffsetMinutes }: SummaryTextOptions): string {
  const timeOfDay = timeOfDayFormatter(utcOffsetMinutes);
  const rows = view.connections.map((connection) => [
    formatEnd(connection.localAddress, connection.localPort, connection.ipVersion),
    formatEnd(connection.peerAddress, connection.peerPort, connection.ipVersion),
    ...cells(connection, timeOfDay),
    formatTypes(connection),
  ]);
  const { other, total } = view;
  if (other.connections > 0) {
    const { tally } = other;
    rows.push([`(${other.connections} other)`, "", ...cells(tally, timeOfDay), formatTypes(tally)]);
  }
  const causes = view.causes.map(([cause, tally]) => [cause, ...cells(tally, timeOfDay)]);
  causes.push(["total", ...cells(total, timeOfDay)]);
  const assumed =
    view.assumed === 0 ? "" : `Events whose segments are not known, one each assumed: ${view.assumed}\n`;
  const connections = table(["LADDR:LPORT", "RADDR:RPORT", ...COUNTS, "CAUSES"], rows);
  return `${connections}\n${table(["CAUSE", ...COUNTS], causes)}${assumed}`;
}

/** A summary as one JSON object a line: connections, the rest of them, causes. Times as in `timestamp`. */
export function formatSummaryJson(view: SummaryView, unixNanos: bigint): string {
  const timestamp = rfc3339Formatter();
  const head = { [ATTRIBUTES.timestamp]: timestamp(unixNanos), [ATTRIBUTES.eventName]: EVENT_NAMES.summary };
  const { other } = view;
  const lines: object[] = view.connections.map((connection) => ({
    ...head,
    ...ends(connection),
    ...counts(connection),
    [ATTRIBUTES.summaryTypes]: Object.fromEntries(connection.types),
  }));
  if (other.connections > 0) {
    const types = Object.fromEntries(other.tally.types);
    const beyond = { [ATTRIBUTES.summaryConnections]: other.connections };
    lines.push({ ...head, ...beyond, ...counts(other.tally), [ATTRIBUTES.summaryTypes]: types });
  }
  for (const [cause, tally] of view.causes) {
    lines.push({ ...head, [ATTRIBUTES.retransmitType]: cause, ...counts(tally) });
  }
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

const COUNTS = ["SEGS", "RETRANS", "FAILED", "TLP", "FIRST", "LAST"] as const;

function cells(tally: Tally, timeOfDay: (unixNanos: bigint) => string): readonly string[] {
  const { segments, retransmits, failed, lossProbes, first, last } = tally;
  const times = last === 0n ? ["-", "-"] : [timeOfDay(first), timeOfDay(last)];
  return [...[segments, retransmits, failed, lossProbes].map(String), ...times];
}

/** `timeout=3 fast=12`, most segments first. */
function formatTypes({ types }: Tally): string {
  const sorted = [...types].sort(([, a], [, b]) => b - a);
  return sorted.map(([cause, segments]: readonly [Cause, number]) => `${cause}=${segments}`).join(" ");
}

/** Columns as wide as their widest cell, numbers to the right. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  const right = header.map((name) => COUNTS.some((count) => count === name));
  return lines
    .map((line) =>
      line
        .map((cell, i) => (right[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
        .join(" ")
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}

function ends(connection: ConnectionTally): object {
  return {
    [ATTRIBUTES.sourceAddress]: connection.localAddress,
    [ATTRIBUTES.sourcePort]: connection.localPort,
    [ATTRIBUTES.destinationAddress]: connection.peerAddress,
    [ATTRIBUTES.destinationPort]: connection.peerPort,
    [ATTRIBUTES.networkType]: connection.ipVersion === 4 ? "ipv4" : "ipv6",
    [ATTRIBUTES.networkTransport]: "tcp",
    [ATTRIBUTES.netns]: connection.netns,
  };
}

function counts(tally: Tally): object {
  const timestamp = rfc3339Formatter();
  return {
    [ATTRIBUTES.summarySegments]: tally.segments,
    [ATTRIBUTES.summaryRetransmits]: tally.retransmits,
    [ATTRIBUTES.summaryFailures]: tally.failed,
    [ATTRIBUTES.summaryLossProbes]: tally.lossProbes,
    [ATTRIBUTES.summaryFirst]: timestamp(tally.first),
    [ATTRIBUTES.summaryLast]: timestamp(tally.last),
  };
}
