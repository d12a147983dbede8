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
  const tcp = valuesOf(snmp, "Tcp:");
  if (tcp === undefined) return undefined;
  const extended = valuesOf(netstat, "TcpExt:");
  const entries = TCP_COUNTER_NAMES.map((name) => [name, tcp.get(name) ?? extended?.get(name)] as const);
  return Object.fromEntries(entries) as TcpCounters;
}

function valuesOf(text: string, prefix: string): ReadonlyMap<string, bigint> | undefined {
  const lines = text.split("\n").filter((line) => line.startsWith(prefix));
  const [names, values] = lines.map((line) => line.slice(prefix.length).trim().split(" "));
  if (names === undefined || values === undefined) return undefined;
  const found = new Map<string, bigint>();
  for (const [index, name] of names.entries()) {
    const value = values[index];
    // MaxConn is -1: signed values are no counters.
    if (value !== undefined && /^\d+$/.test(value)) found.set(name, BigInt(value));
  }
  return found;
}
