import { ATTRIBUTES, EVENT_NAMES } from "./attributes.ts";
import { rfc3339Formatter } from "./rfc3339.ts";

/** How much each counter of a network namespace has moved; the name is the kernel's. */
export interface NamespaceCounts {
  readonly netns: number;
  readonly of: (counter: (typeof COLUMNS)[number]["counter"]) => number;
}

/** The kernel's counters (/proc/net/snmp and netstat) with their column and their exported name. */
const COLUMNS = [
  { counter: "OutSegs", title: "SENT", key: ATTRIBUTES.segmentsSent },
  { counter: "RetransSegs", title: "RETRANS", key: ATTRIBUTES.segmentsRetransmitted },
  { counter: "TCPFastRetrans", title: "FAST", key: ATTRIBUTES.countFast },
  { counter: "TCPSlowStartRetrans", title: "SLOW", key: ATTRIBUTES.countSlowStart },
  { counter: "TCPTimeouts", title: "TIMEOUTS", key: ATTRIBUTES.countTimeouts },
  { counter: "TCPLossProbes", title: "PROBES", key: ATTRIBUTES.countLossProbes },
  { counter: "TCPSynRetrans", title: "SYN", key: ATTRIBUTES.countSyn },
  { counter: "TCPRetransFail", title: "FAILED", key: ATTRIBUTES.countFailed },
] as const;

/** The header line. RATIO is retransmitted / (sent + retransmitted): OutSegs leaves retransmits out. */
export function formatCountersHeader(): string {
  return `${line("TIME", "NETNS", [...COLUMNS.map(({ title }) => title), "RATIO"])}\n`;
}

/** One line for each namespace that moved, as a table row or as a JSON object. */
export function formatCounters(
  counts: readonly NamespaceCounts[],
  { json, unixMs }: { readonly json: boolean; readonly unixMs: number },
): string {
  const format = json ? jsonLine : row;
  return counts.map((count) => `${format(count, unixMs)}\n`).join("");
}

function row({ netns, of }: NamespaceCounts, unixMs: number): string {
  const time = new Date(unixMs).toTimeString().slice(0, 8);
  const sent = of("OutSegs");
  const retransmitted = of("RetransSegs");
  const all = sent + retransmitted;
  const ratio = all === 0 ? "-" : `${((100 * retransmitted) / all).toFixed(2)}%`;
  return line(time, String(netns), [...COLUMNS.map(({ counter }) => String(of(counter))), ratio]);
}

function line(time: string, netns: string, cells: readonly string[]): string {
  return `${time.padEnd(8)} ${netns.padEnd(10)} ${cells.map((cell) => cell.padStart(8)).join(" ")}`;
}

function jsonLine({ netns, of }: NamespaceCounts, unixMs: number): string {
  return JSON.stringify({
    [ATTRIBUTES.timestamp]: rfc3339Formatter()(BigInt(unixMs) * 1_000_000n),
    [ATTRIBUTES.eventName]: EVENT_NAMES.counters,
    [ATTRIBUTES.netns]: netns,
    ...Object.fromEntries(COLUMNS.map(({ counter, key }) => [key, of(counter)])),
  });
}
