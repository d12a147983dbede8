import type { FieldPlace, SocketLayout } from "./socket-layout.ts";

/**
 * Fetch arguments for the socket at `base` (`$arg1`, `$skaddr`, `$req`): Documentation/trace/kprobetrace.rst.
 * Every name is a key of the decoder's field table; the kernel allows 63 characters an argument.
 */
export function socketArgs(layout: SocketLayout, base: string): readonly string[] {
  return [
    `sk=${base}:x64`,
    ...commonArgs(layout, base),
    ...cgroupArgs(layout, base),
    ...tcpArgs(layout, base),
  ];
}

/** Fetch arguments for the addresses and the network namespace: what a request socket shares with a full one. */
export function commonArgs(layout: SocketLayout, base: string): readonly string[] {
  return [
    member("fam", layout.family, base, "u16"),
    member("st", layout.state, base, "u8"),
    member("lp", layout.localPort, base, "u16"),
    member("dp", layout.peerPort, base, "x16"), // network order: the decoder swaps it
    member("s4", layout.localV4, base, "x32"),
    member("d4", layout.peerV4, base, "x32"),
    member("s6", layout.localV6, base, "x64[2]"),
    member("d6", layout.peerV6, base, "x64[2]"),
    ...namespaceArgs(layout, base),
  ].filter((arg) => arg !== undefined);
}

/** The network namespace's inode number, with the pointer that proves that the dereference was possible. */
export function namespaceArgs(layout: SocketLayout, base: string): readonly string[] {
  if (layout.net === undefined || layout.netInum === undefined) return [];
  const pointer = `+${layout.net.offset}(${base})`;
  return [`net=${pointer}:x64`, `ns=+${layout.netInum.offset}(${pointer}):u32`];
}

/** The cgroup's id, with the pointer that proves that the dereference was possible. */
export function cgroupArgs(layout: SocketLayout, base: string): readonly string[] {
  const { cgroup, cgroupKn, knId } = layout;
  if (cgroup === undefined || cgroupKn === undefined || knId === undefined) return [];
  const pointer = `+${cgroup.offset}(${base})`;
  return [`cgp=${pointer}:x64`, `cg=+${knId.offset}(+${cgroupKn.offset}(${pointer})):u64`];
}

/** Fetch arguments for the skb at `base`: control block and length; it has no header of its own (net/ipv4/tcp_output.c). */
export function skbArgs(layout: SocketLayout, base: string): readonly string[] {
  const cb = layout.skbCb?.offset;
  if (cb === undefined) return [];
  const within = (place: FieldPlace | undefined): FieldPlace | undefined =>
    place && { ...place, offset: place.offset + cb };
  return [
    member("seq", within(layout.cbSeq), base, "u32"),
    member("end", within(layout.cbEndSeq), base, "u32"),
    member("tfl", within(layout.cbFlags), base, "sized"),
    member("gso", within(layout.cbGsoSegs), base, "u16"),
    member("len", layout.skbLen, base, "sized"),
  ].filter((arg) => arg !== undefined);
}

function tcpArgs(layout: SocketLayout, base: string): readonly string[] {
  return [
    member("fl", layout.flags, base, "sized"),
    member("ca", layout.caState, base, "u8"), // a bitfield: the decoder masks it
    member("rtm", layout.retransmits, base, "sized"),
    member("pnd", layout.pending, base, "sized"),
    member("bko", layout.backoff, base, "sized"),
    member("rto", layout.rto, base, "sized"),
    member("srtt", layout.srtt, base, "sized"),
    member("cwnd", layout.cwnd, base, "sized"),
    member("wnd", layout.sndWnd, base, "sized"),
    member("mss", layout.mss, base, "sized"),
    member("pout", layout.packetsOut, base, "sized"),
    member("rout", layout.retransOut, base, "sized"),
    member("lout", layout.lostOut, base, "sized"),
    member("tot", layout.totalRetrans, base, "sized"),
    member("byt", layout.bytesRetrans, base, "sized"),
    member("tlp", layout.tlpHighSeq, base, "sized"),
    ...ackArgs(layout, base),
  ].filter((arg) => arg !== undefined);
}

/** When the peer last acknowledged anything, and what jiffies read now. */
function ackArgs(layout: SocketLayout, base: string): readonly (string | undefined)[] {
  return layout.ackedAt === undefined
    ? []
    : [member("ack", layout.ackedAt, base, "u32"), "jif=@jiffies_64:u32"];
}

function member(name: string, place: FieldPlace | undefined, base: string, type: string): string | undefined {
  if (place === undefined) return undefined;
  return `${name}=+${place.offset}(${base}):${type === "sized" ? `u${place.size * 8}` : type}`;
}
