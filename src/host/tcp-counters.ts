/** The kernel's TCP counters that this tool reads; names as in /proc/net/snmp (Tcp) and netstat (TcpExt). */
export const TCP_COUNTER_NAMES = [
  "OutSegs",
  "RetransSegs",
  "TCPFastRetrans",
  "TCPSlowStartRetrans",
  "TCPTimeouts",
  "TCPLossProbes",
  "TCPSynRetrans",
  "TCPRetransFail",
  "TCPAbortOnTimeout",
  "TCPAbortOnMemory",
  "TCPKeepAlive",
  "TCPWinProbe",
  "TCPFastOpenPassive",
  "TCPSpuriousRTOs",
] as const;
export type TcpCounterName = (typeof TCP_COUNTER_NAMES)[number];

/** One network namespace's counters since it was made; undefined: this kernel has no such counter. */
export type TcpCounters = Readonly<Record<TcpCounterName, bigint | undefined>>;

/**
 * Parses the texts of /proc/<pid>/net/snmp and netstat: pairs of lines, names then values, under one prefix
 * (net/ipv4/proc.c). Gives undefined when the `Tcp:` lines are absent.
 */
export function parseTcpCounters(snmp: string, netstat: string): TcpCounters | undefined {
  const tcp = linesOf(snmp, "Tcp:");
  if (tcp === undefined) return undefined;
  const extended = linesOf(netstat, "TcpExt:");
  const entries = TCP_COUNTER_NAMES.map(
    (name) => [name, counterOf(tcp, name) ?? counterOf(extended, name)] as const,
  );
  return Object.fromEntries(entries) as TcpCounters;
}

/** The words of a pair of lines; the files have three hundred, of which few are read. */
interface Lines {
  readonly names: readonly string[];
  readonly values: readonly string[];
}

function linesOf(text: string, prefix: string): Lines | undefined {
  const start = text.startsWith(prefix) ? 0 : text.indexOf(`\n${prefix}`) + 1;
  const [names, values] = text
    .slice(start)
    .split("\n", 2)
    .map((line) => line.split(" "));
  if (names?.[0] !== prefix || values?.[0] !== prefix) return undefined;
  return { names, values };
}

function counterOf(lines: Lines | undefined, name: string): bigint | undefined {
  const value = lines?.values[lines.names.indexOf(name)];
  // MaxConn is -1: signed values are no counters.
  return value !== undefined && /^\d+$/.test(value) ? BigInt(value) : undefined;
}
