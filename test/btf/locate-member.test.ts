import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { BTF_KIND } from "../../src/btf/btf-kind.ts";
import { locateMember } from "../../src/btf/locate-member.ts";
import { parseBtf } from "../../src/btf/parse-btf.ts";
import { BtfWriter } from "../support/btf-writer.ts";

const SLICE = new URL("../fixtures/btf/linux-6.18.44-x86_64.btf", import.meta.url);
const VMLINUX = "/sys/kernel/btf/vmlinux";

/** Byte offset and size on 6.18.44 x86-64, read with another BTF reader. */
const KERNEL_6_18: readonly (readonly [string, string, number, number])[] = [
  ["sock_common", "skc_daddr", 0, 4],
  ["sock_common", "skc_rcv_saddr", 4, 4],
  ["sock_common", "skc_dport", 12, 2],
  ["sock_common", "skc_num", 14, 2],
  ["sock_common", "skc_family", 16, 2],
  ["sock_common", "skc_state", 18, 1],
  ["sock_common", "skc_net.net", 48, 8],
  ["sock_common", "skc_v6_daddr", 56, 16],
  ["sock_common", "skc_v6_rcv_saddr", 72, 16],
  ["sock_common", "skc_cookie", 88, 8],
  ["sock", "__sk_common.skc_net.net", 48, 8],
  ["sock", "sk_mark", 524, 4],
  ["sock", "sk_uid", 528, 4],
  ["sock", "sk_cgrp_data.cgroup", 672, 8],
  ["net", "ns.inum", 176, 4],
  ["inet_connection_sock", "icsk_rto", 1184, 4],
  ["inet_connection_sock", "icsk_retransmits", 1249, 1],
  ["inet_connection_sock", "icsk_pending", 1250, 1],
  ["inet_connection_sock", "icsk_backoff", 1251, 1],
  ["tcp_sock", "inet_conn.icsk_rto", 1184, 4],
  ["tcp_sock", "snd_wnd", 1436, 4],
  ["tcp_sock", "mss_cache", 1440, 4],
  ["tcp_sock", "snd_cwnd", 1444, 4],
  ["tcp_sock", "lost_out", 1452, 4],
  ["tcp_sock", "sacked_out", 1456, 4],
  ["tcp_sock", "tlp_high_seq", 1472, 4],
  ["tcp_sock", "retrans_out", 1480, 4],
  ["tcp_sock", "snd_nxt", 1668, 4],
  ["tcp_sock", "snd_una", 1672, 4],
  ["tcp_sock", "srtt_us", 1680, 4],
  ["tcp_sock", "packets_out", 1684, 4],
  ["tcp_sock", "dsack_dups", 1864, 4],
  ["tcp_sock", "undo_marker", 2180, 4],
  ["tcp_sock", "undo_retrans", 2184, 4],
  ["tcp_sock", "bytes_retrans", 2192, 8],
  ["tcp_sock", "total_retrans", 2200, 4],
  ["sk_buff", "cb", 40, 48],
  ["sk_buff", "len", 112, 4],
  ["tcp_skb_cb", "seq", 0, 4],
  ["tcp_skb_cb", "end_seq", 4, 4],
  ["tcp_skb_cb", "tcp_gso_segs", 8, 2],
  ["tcp_skb_cb", "tcp_flags", 12, 2],
  ["tcp_skb_cb", "sacked", 14, 1],
  ["cgroup", "kn", 256, 8],
  ["kernfs_node", "__parent", 8, 8],
  ["kernfs_node", "name", 16, 8],
  ["kernfs_node", "id", 96, 8],
];

test("locateMember() gives the offsets of a 6.18 kernel", () => {
  const btf = parseBtf(readFileSync(SLICE));
  for (const [struct, path, offset, size] of KERNEL_6_18) {
    assert.deepEqual(locateMember(btf, struct, path), { offset, size }, `${struct} ${path}`);
  }
});

test("locateMember() gives the bitfields of a 6.18 kernel", () => {
  const btf = parseBtf(readFileSync(SLICE));
  const caState = { offset: 1248, size: 1, bitfield: { shift: 0, width: 5 } };
  assert.deepEqual(locateMember(btf, "inet_connection_sock", "icsk_ca_state"), caState);
  const tlpRetrans = { offset: 1913, size: 1, bitfield: { shift: 2, width: 1 } };
  assert.deepEqual(locateMember(btf, "tcp_sock", "tlp_retrans"), tlpRetrans);
  assert.deepEqual(locateMember(btf, "tcp_sock", "frto"), {
    offset: 1914,
    size: 1,
    bitfield: { shift: 4, width: 1 },
  });
});

test("locateMember() finds the TCP fields in this machine's own BTF", (context) => {
  if (!existsSync(VMLINUX)) return context.skip(`no ${VMLINUX}`);
  const btf = parseBtf(readFileSync(VMLINUX));
  for (const [struct, path, , size] of KERNEL_6_18) {
    // Fields that other kernels name or size otherwise.
    if (path === "__parent" || path === "tcp_flags" || path === "sk_cgrp_data.cgroup" || path === "id")
      continue;
    assert.equal(locateMember(btf, struct, path)?.size, size, `${struct} ${path}`);
  }
  assert.ok((locateMember(btf, "inet_connection_sock", "icsk_ca_state")?.bitfield?.width ?? 0) >= 5);
});

test("locateMember() gives undefined for what does not exist", () => {
  const btf = parseBtf(readFileSync(SLICE));
  assert.equal(locateMember(btf, "no_such_struct", "m"), undefined);
  assert.equal(locateMember(btf, "tcp_soc", "snd_wnd"), undefined);
  assert.equal(locateMember(btf, "tcp_sock", "no_such_member"), undefined);
  assert.equal(locateMember(btf, "tcp_sock", "snd_wnd.inside_an_int"), undefined);
  assert.equal(locateMember(btf, "sk_buff", "cb.inside_an_array"), undefined);
  assert.equal(locateMember(btf, "sock", "sk_cgrp_data.cgroup.kn"), undefined, "a pointer is not followed");
  assert.equal(locateMember(btf, "sock", ""), undefined);
  assert.equal(locateMember(btf, "sock", "__sk_common..skc_num"), undefined);
});

test("locateMember() looks through anonymous structs in unions, qualifiers and typedefs", () => {
  const writer = new BtfWriter();
  const u16 = writer.int("short", 2);
  const pair = writer.struct("", 4, [
    { name: "dport", type: u16, bits: 0 },
    { name: "num", type: u16, bits: 16 },
  ]);
  const ports = writer.union("", 4, [
    { name: "portpair", type: writer.int("int", 4), bits: 0 },
    { name: "", type: writer.type(BTF_KIND.CONST, "", pair), bits: 0 },
  ]);
  const tagged = writer.type(BTF_KIND.TYPE_TAG, "rcu", writer.type(BTF_KIND.VOLATILE, "", pair));
  const alias = writer.type(BTF_KIND.TYPEDEF, "alias_t", tagged);
  writer.struct("s", 16, [
    { name: "", type: ports, bits: 64 },
    { name: "inner", type: alias, bits: 96 },
  ]);
  const btf = parseBtf(writer.bytes());
  assert.deepEqual(locateMember(btf, "s", "num"), { offset: 10, size: 2 });
  assert.deepEqual(locateMember(btf, "s", "inner.num"), { offset: 14, size: 2 });
});

test("locateMember() takes the first struct of that name that has the member", () => {
  const writer = new BtfWriter();
  const int = writer.int("int", 4);
  writer.struct("node", 4, [{ name: "other", type: int, bits: 0 }]);
  writer.struct("node", 8, [{ name: "kn", type: int, bits: 32 }]);
  writer.struct("node", 12, [{ name: "kn", type: int, bits: 64 }]);
  assert.deepEqual(locateMember(parseBtf(writer.bytes()), "node", "kn"), { offset: 4, size: 4 });
});

test("locateMember() sizes arrays, pointers, enums and floats", () => {
  const writer = new BtfWriter();
  const grid = writer.array(writer.array(writer.int("int", 4), 3), 2);
  writer.struct("s", 64, [
    { name: "grid", type: grid, bits: 0 },
    { name: "pointer", type: writer.pointer(0), bits: 192 },
    { name: "small", type: writer.type(BTF_KIND.ENUM, "", 1), bits: 256 },
    { name: "wide", type: writer.type(BTF_KIND.ENUM64, "", 8), bits: 320 },
    { name: "float", type: writer.type(BTF_KIND.FLOAT, "double", 8), bits: 384 },
    { name: "tail", type: writer.array(0, 0), bits: 448 },
  ]);
  const btf = parseBtf(writer.bytes());
  assert.deepEqual(locateMember(btf, "s", "grid"), { offset: 0, size: 24 });
  assert.deepEqual(locateMember(btf, "s", "pointer"), { offset: 24, size: 8 });
  assert.deepEqual(locateMember(btf, "s", "small"), { offset: 32, size: 1 });
  assert.deepEqual(locateMember(btf, "s", "wide"), { offset: 40, size: 8 });
  assert.deepEqual(locateMember(btf, "s", "float"), { offset: 48, size: 8 });
  assert.deepEqual(locateMember(btf, "s", "tail"), { offset: 56, size: 0 });
});

for (const { name, littleEndian, bits, width, expected } of [
  { name: "in one byte", littleEndian: true, bits: 19, width: 5, expected: [2, 1, 3] },
  { name: "in one byte, big-endian", littleEndian: false, bits: 19, width: 5, expected: [2, 1, 0] },
  { name: "across two bytes", littleEndian: true, bits: 22, width: 5, expected: [2, 2, 6] },
  { name: "across two bytes, big-endian", littleEndian: false, bits: 22, width: 5, expected: [2, 2, 5] },
  {
    name: "across the middle of four bytes",
    littleEndian: true,
    bits: 40 + 4,
    width: 20,
    expected: [4, 4, 12],
  },
  {
    name: "across the middle of eight bytes",
    littleEndian: true,
    bits: 64 + 30,
    width: 4,
    expected: [8, 8, 30],
  },
]) {
  test(`locateMember() gives a bitfield ${name} the smallest aligned bytes`, () => {
    const writer = new BtfWriter({ littleEndian });
    writer.struct("s", 16, [{ name: "m", type: writer.int("long", 8), bits, width }]);
    const [offset, size, shift] = expected;
    const location = locateMember(parseBtf(writer.bytes()), "s", "m");
    assert.deepEqual(location, { offset, size, bitfield: { shift, width } });
  });
}

test("locateMember() reads bitfields of before kind_flag from the INT", () => {
  const writer = new BtfWriter();
  writer.struct("s", 4, [{ name: "m", type: writer.int("char", 1, { bits: 3, offset: 2 }), bits: 8 }]);
  const location = locateMember(parseBtf(writer.bytes()), "s", "m");
  assert.deepEqual(location, { offset: 1, size: 1, bitfield: { shift: 2, width: 3 } });
});

test("locateMember() throws a SyntaxError on types that never end", () => {
  const typedef = new BtfWriter();
  typedef.type(BTF_KIND.TYPEDEF, "loop", 1);
  typedef.struct("s", 4, [{ name: "m", type: 1, bits: 0 }]);
  assert.throws(() => locateMember(parseBtf(typedef.bytes()), "s", "m"), /SyntaxError.*typedefs do not end/);
  const array = new BtfWriter();
  array.array(1, 2);
  array.struct("s", 4, [{ name: "m", type: 1, bits: 0 }]);
  assert.throws(() => locateMember(parseBtf(array.bytes()), "s", "m"), /SyntaxError.*array does not end/);
});

test("locateMember() searches a struct that contains itself only once", () => {
  const writer = new BtfWriter();
  writer.struct("s", 4, [
    { name: "", type: 1, bits: 0 },
    { name: "", type: 1, bits: 32 },
  ]);
  assert.equal(locateMember(parseBtf(writer.bytes()), "s", "m"), undefined);
});

test("locateMember() throws a SyntaxError on a type id that does not exist", () => {
  const writer = new BtfWriter();
  writer.struct("s", 4, [{ name: "m", type: 77, bits: 0 }]);
  assert.throws(() => locateMember(parseBtf(writer.bytes()), "s", "m"), /SyntaxError.*type 77: there are 1/);
});

test("locateMember() throws a SyntaxError on a bitfield that crosses 8 bytes", () => {
  const writer = new BtfWriter();
  writer.struct("s", 16, [{ name: "m", type: writer.int("long", 8), bits: 60, width: 8 }]);
  assert.throws(() => locateMember(parseBtf(writer.bytes()), "s", "m"), /SyntaxError.*crosses 8 bytes/);
});
