import type { Cause } from "../event/tcp-event.ts";
import { ATTRIBUTES, EVENT_NAMES } from "./attributes.ts";
import type { TalliesView } from "./bounded-tallies.ts";
import { endsAttributes } from "./ends-attributes.ts";
import { formatEnds } from "./format-end-name.ts";
import { rfc3339Formatter, timeOfDayFormatter } from "./rfc3339.ts";
import type { ConnectionTally, PairTally, SummaryView } from "./summary.ts";
import { formatEnd } from "./table.ts";
import type { Tally } from "./tally.ts";

export interface SummaryTextOptions {
  /** Minutes east of UTC at a time, for the FIRST and LAST columns. */
  readonly utcOffsetMinutes: (unixSeconds: number) => number;
}

/**
 * A summary as tables, most segments first: per pair of names where there are names, per connection and per cause.
 */
export function formatSummary(view: SummaryView, { utcOffsetMinutes }: SummaryTextOptions): string {
  const timeOfDay = timeOfDayFormatter(utcOffsetMinutes);
  const { connections, pairs, total } = view;
  const rows = connections.rows.map((connection) =>
    connectionRow(connection, pairs !== undefined, timeOfDay),
  );
  rows.push(...otherRow(connections, timeOfDay));
  const causes = view.causes.map(([cause, tally]) => [cause, ...cells(tally, timeOfDay)]);
  causes.push(["total", ...cells(total, timeOfDay)]);
  const assumed =
    view.assumed === 0 ? "" : `Events whose segments are not known, one each assumed: ${view.assumed}\n`;
  const names = pairs === undefined ? [] : ["SOURCE", "DESTINATION"];
  const perConnection = table(["LADDR:LPORT", "RADDR:RPORT", ...COUNTS, "CAUSES", ...names], rows);
  const perCause = table(["CAUSE", ...COUNTS], causes);
  const perPair = pairs === undefined ? "" : `${pairTable(pairs, timeOfDay)}\n`;
  return `${perPair}${perConnection}\n${perCause}${assumed}`;
}

/**
 * A summary as one JSON object a line: pairs of names where there are names and the rest of them, connections and the
 * rest of them, causes. Times as in `timestamp`.
 */
export function formatSummaryJson(view: SummaryView, unixNanos: bigint): string {
  const timestamp = rfc3339Formatter();
  const head = { [ATTRIBUTES.timestamp]: timestamp(unixNanos), [ATTRIBUTES.eventName]: EVENT_NAMES.summary };
  const { connections, pairs } = view;
  const lines: object[] = [];
  if (pairs !== undefined) {
    for (const pair of pairs.rows) lines.push({ ...pairKeys(pair), ...counts(pair), ...types(pair) });
    if (pairs.others > 0) lines.push(beyond(ATTRIBUTES.summaryPairs, pairs));
  }
  for (const connection of connections.rows) {
    lines.push({ ...connectionKeys(connection), ...counts(connection), ...types(connection) });
  }
  if (connections.others > 0) lines.push(beyond(ATTRIBUTES.summaryConnections, connections));
  for (const [cause, tally] of view.causes) {
    lines.push({ [ATTRIBUTES.retransmitType]: cause, ...counts(tally) });
  }
  return lines.map((line) => `${JSON.stringify({ ...head, ...line })}\n`).join("");
}

type TimeOfDay = (unixNanos: bigint) => string;

function pairTable(pairs: TalliesView<PairTally>, timeOfDay: TimeOfDay): string {
  const rows = pairs.rows.map((pair) => [
    pair.source,
    pair.destination,
    ...cells(pair, timeOfDay),
    formatTypes(pair),
  ]);
  return table(["SOURCE", "DESTINATION", ...COUNTS, "CAUSES"], [...rows, ...otherRow(pairs, timeOfDay)]);
}

function connectionRow(connection: ConnectionTally, named: boolean, timeOfDay: TimeOfDay): readonly string[] {
  const { localAddress, localPort, peerAddress, peerPort, ipVersion, ends } = connection;
  const names = ends === undefined ? { source: "-", destination: "-" } : formatEnds(ends);
  return [
    formatEnd(localAddress, localPort, ipVersion),
    formatEnd(peerAddress, peerPort, ipVersion),
    ...cells(connection, timeOfDay),
    formatTypes(connection),
    ...(named ? [names.source, names.destination] : []),
  ];
}

/** The row of those beyond the rows, where there are any. */
function otherRow(
  { others, otherTally }: TalliesView<Tally>,
  timeOfDay: TimeOfDay,
): readonly (readonly string[])[] {
  if (others === 0) return [];
  return [[`(${others} other)`, "", ...cells(otherTally, timeOfDay), formatTypes(otherTally)]];
}

const COUNTS = ["SEGS", "RETRANS", "FAILED", "TLP", "FIRST", "LAST"] as const;

function cells(tally: Tally, timeOfDay: TimeOfDay): readonly string[] {
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

function connectionKeys(connection: ConnectionTally): object {
  const { ends } = connection;
  return {
    [ATTRIBUTES.sourceAddress]: connection.localAddress,
    [ATTRIBUTES.sourcePort]: connection.localPort,
    [ATTRIBUTES.destinationAddress]: connection.peerAddress,
    [ATTRIBUTES.destinationPort]: connection.peerPort,
    [ATTRIBUTES.networkType]: connection.ipVersion === 4 ? "ipv4" : "ipv6",
    [ATTRIBUTES.networkTransport]: "tcp",
    [ATTRIBUTES.netns]: connection.netns,
    ...(ends === undefined ? {} : Object.fromEntries(endsAttributes(ends))),
  };
}

/** What holds of every connection between the two names. */
function pairKeys({ local, peer }: PairTally): object {
  return {
    [ATTRIBUTES.sourceKind]: local.kind,
    [ATTRIBUTES.sourceName]: local.name,
    [ATTRIBUTES.destinationKind]: peer.kind,
    [ATTRIBUTES.destinationName]: peer.name,
    [ATTRIBUTES.destinationService]: peer.service?.name,
  };
}

function beyond(key: string, { others, otherTally }: TalliesView<Tally>): object {
  return { [key]: others, ...counts(otherTally), ...types(otherTally) };
}

function types(tally: Tally): object {
  return { [ATTRIBUTES.summaryTypes]: Object.fromEntries(tally.types) };
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
