import { locateMember } from "../btf/locate-member.ts";
import type { Btf } from "../btf/parse-btf.ts";

/** A member's place: bytes from the start of its struct, its size, and its bits when it is a bitfield. */
export interface FieldPlace {
  readonly offset: number;
  readonly size: number;
  readonly shift?: number;
  readonly width?: number;
}

/** Where this kernel keeps the members that the probes fetch; a member that it lacks is absent. Serialisable. */
export type SocketLayout = Readonly<Partial<Record<MemberName, FieldPlace>>>;

type MemberName = keyof typeof MEMBERS;

/**
 * The members by the structs and names that the kernel gives them, in the order to try.
 * Names are stable over 5.4 to 7.2 (include/net/sock.h, include/linux/tcp.h); offsets are not.
 */
const MEMBERS = {
  family: [["sock_common", "skc_family"]],
  state: [["sock_common", "skc_state"]],
  localPort: [["sock_common", "skc_num"]],
  peerPort: [["sock_common", "skc_dport"]],
  localV4: [["sock_common", "skc_rcv_saddr"]],
  peerV4: [["sock_common", "skc_daddr"]],
  localV6: [["sock_common", "skc_v6_rcv_saddr"]],
  peerV6: [["sock_common", "skc_v6_daddr"]],
  flags: [["sock_common", "skc_flags"]],
  net: [["sock_common", "skc_net.net"]],
  netInum: [["net", "ns.inum"]],
  cgroup: [
    ["sock", "sk_cgrp_data.cgroup"],
    ["sock", "sk_cgrp_data.val"], // a union with tag bits until 5.15
  ],
  cgroupKn: [["cgroup", "kn"]],
  knId: [["kernfs_node", "id"]],
  caState: [["inet_connection_sock", "icsk_ca_state"]],
  retransmits: [["inet_connection_sock", "icsk_retransmits"]],
  pending: [["inet_connection_sock", "icsk_pending"]],
  backoff: [["inet_connection_sock", "icsk_backoff"]],
  rto: [["inet_connection_sock", "icsk_rto"]],
  srtt: [["tcp_sock", "srtt_us"]],
  cwnd: [["tcp_sock", "snd_cwnd"]],
  sndWnd: [["tcp_sock", "snd_wnd"]],
  mss: [["tcp_sock", "mss_cache"]],
  packetsOut: [["tcp_sock", "packets_out"]],
  retransOut: [["tcp_sock", "retrans_out"]],
  lostOut: [["tcp_sock", "lost_out"]],
  totalRetrans: [["tcp_sock", "total_retrans"]],
  bytesRetrans: [["tcp_sock", "bytes_retrans"]],
  tlpHighSeq: [["tcp_sock", "tlp_high_seq"]],
  ackedAt: [["tcp_sock", "rcv_tstamp"]],
  skbCb: [["sk_buff", "cb"]],
  skbLen: [["sk_buff", "len"]],
  cbSeq: [["tcp_skb_cb", "seq"]],
  cbEndSeq: [["tcp_skb_cb", "end_seq"]],
  cbFlags: [["tcp_skb_cb", "tcp_flags"]],
  cbGsoSegs: [["tcp_skb_cb", "tcp_gso_segs"]],
  reqNumRetrans: [["request_sock", "num_retrans"]],
} as const satisfies Record<string, readonly (readonly [string, string])[]>;

/** Members without which no event can be told: their absence makes a layout useless. */
const NEEDED: readonly MemberName[] = ["family", "state", "localPort", "peerPort", "localV4", "peerV4"];

/** Finds the members in a kernel's BTF; undefined when it lacks even the addresses of a socket. */
export function socketLayout(btf: Btf): SocketLayout | undefined {
  const layout: Partial<Record<MemberName, FieldPlace>> = {};
  for (const name of Object.keys(MEMBERS) as MemberName[]) {
    for (const [struct, path] of MEMBERS[name]) {
      const found = locateMember(btf, struct, path);
      if (found === undefined) continue;
      layout[name] = { offset: found.offset, size: found.size, ...found.bitfield };
      break;
    }
  }
  return NEEDED.every((name) => layout[name] !== undefined) ? layout : undefined;
}

/** The members that this kernel lacks, as `struct.member`: what they would tell stays unknown. */
export function missingMembers(layout: SocketLayout): readonly string[] {
  const names = Object.keys(MEMBERS) as MemberName[];
  return names.filter((name) => layout[name] === undefined).map((name) => MEMBERS[name][0].join("."));
}
