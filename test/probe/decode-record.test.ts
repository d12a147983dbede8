import assert from "node:assert/strict";
import { test } from "node:test";
import { TCP_STATE_NAMES } from "../../src/event/kernel-tcp.ts";
import type { SocketKey } from "../../src/event/tcp-event.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { type DecodeFacts, recordDecoder } from "../../src/probe/decode-record.ts";
import { findField, recordSize } from "../../src/probe/field-reader.ts";
import type { ProbeRecord, Role } from "../../src/probe/probe-record.ts";
import type { EventFormat } from "../../src/tracefs/event-format.ts";
import { eventRecord, type FieldValue, probeFormat } from "../support/event-record.ts";
import { kernelFormat } from "../support/kernels.ts";
import { parseXxd } from "../support/xxd.ts";

const FACTS: DecodeFacts = {
  hz: 250,
  caState: { shift: 0, width: 5 },
  keyOf: (pointer) => pointer as SocketKey,
};
const SOCKET = 0xffff_8880_1234_5640n;
const POINTER = 0xffff_8880_0bad_0000n;
const [LOCAL4, PEER4] = [
  [10, 0, 0, 1],
  [192, 168, 7, 255],
];
const LOCAL6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const PEER6 = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xa, 0xb, 0xc];
const mapped = (v4: readonly number[]) => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...v4];

/** What every record needs: the socket, and IPv4 addresses. `dp` is in network order: 443 is 01 bb. */
const V4 = { sk: SOCKET, fam: 2, st: 1, lp: 40_001, dp: Uint8Array.of(1, 0xbb), s4: LOCAL4!, d4: PEER4! };

const attempt = kernelFormat("6.12", "attempt");

function decode(
  role: Role,
  format: EventFormat,
  values: Readonly<Record<string, FieldValue>>,
  { facts = FACTS, stale = 0xa5 }: { facts?: DecodeFacts; stale?: number } = {},
): ProbeRecord {
  const bytes = eventRecord(format, values, { stale });
  // Not at the start of the view, and with other bytes behind it: as in a page.
  const page = new Uint8Array(bytes.length + 64).fill(0xee);
  page.set(bytes, 20);
  const view = new DataView(page.buffer);
  const record = recordDecoder(role, format, facts)(view, 20, bytes.length, traceNanos(5), 3);
  if (typeof record === "string") throw new Error(record);
  return record;
}

test("recordDecoder() reads every field of a kprobe of 6.12", () => {
  const values = {
    ...V4,
    common_pid: 4242,
    net: POINTER,
    ns: 4_026_532_200,
    cgp: POINTER,
    cg: 0x1_0000_0007n,
    fl: 0x301,
    ca: 0b101_00011,
    rtm: 2,
    pnd: 5,
    bko: 1,
    rto: 51,
    srtt: 80_007,
    cwnd: 10,
    wnd: 64_000,
    mss: 1448,
    pout: 9,
    rout: 2,
    lout: 3,
    tot: 77,
    byt: 0x2_0000_0001n,
    tlp: 0xfffffff0,
    seq: 0x80000000,
    end: 0x80000800,
    tfl: 0x18,
    gso: 2,
    len: 2048,
    segs: 7,
  };
  const { socket, ...record } = decode("attempt", attempt, values);
  assert.deepEqual(record, {
    role: "attempt",
    time: 5,
    cpu: 3,
    pid: 4242,
    key: Number(SOCKET & ((1n << 53n) - 1n)),
    segsLimit: 7,
    gsoSegs: 2,
    skbLen: 2048,
    error: undefined,
    sndWnd: 64_000,
    dead: true,
    tlpHighSeq: 0xfffffff0,
    congState: undefined,
    stack: undefined,
  });
  assert.deepEqual(socket, {
    key: record.key,
    state: 1,
    ipVersion: 4,
    localAddress: "10.0.0.1",
    localPort: 40_001,
    peerAddress: "192.168.7.255",
    peerPort: 443,
    netns: 4_026_532_200,
    cgroupId: 0x1_0000_0007n,
    caState: 3,
    pending: 5,
    retransmits: 2,
    backoff: 1,
    rto: 51 / 250,
    srtt: 0.01,
    cwnd: 10,
    mss: 1448,
    packetsOut: 9,
    retransOut: 2,
    lostOut: 3,
    totalRetrans: 77,
    bytesRetrans: 0x2_0000_0001n,
    seq: 0x80000000,
    endSeq: 0x80000800,
    tcpFlags: 0x18,
    sinceAck: undefined,
  });
});

/** Before 6.12's recording was made nothing fetched these. */
const withAck: EventFormat = {
  ...attempt,
  fields: [
    ...attempt.fields,
    ...["ack", "jif"].map((name, i) => {
      const place = { offset: recordSize(attempt) + 4 * i, size: 4 };
      return { name, ...place, type: "u32", signed: false, array: undefined };
    }),
  ],
};

const ACKS = [
  { name: "a second and a half", ack: 4_294_892_421, jif: 4_294_892_796, sinceAck: 1.5 },
  { name: "what jiffies have wrapped in", ack: 4_294_967_295, jif: 249, sinceAck: 1 },
  { name: "nothing of a socket that nobody has answered", ack: 0, jif: 249, sinceAck: undefined },
];
for (const { name, ack, jif, sinceAck } of ACKS) {
  test(`recordDecoder() gives the time since the last acknowledgement: ${name}`, () => {
    assert.equal(decode("attempt", withAck, { ...V4, ack, jif }).socket?.sinceAck, sinceAck);
    const facts = { ...FACTS, hz: undefined };
    assert.equal(decode("attempt", withAck, { ...V4, ack, jif }, { facts }).socket?.sinceAck, undefined);
  });
}

/** kernel.md §2.4: a dereference that failed leaves what the ring buffer held before. */
const POINTERS = [
  { name: "a kernel address", pointer: POINTER, valid: true },
  { name: "0", pointer: 0n, valid: false },
  { name: "a user address", pointer: 0x7fff_0000_1000n, valid: false },
  { name: "bit 0 set: a class id in place of a cgroup (5.10)", pointer: POINTER + 1n, valid: false },
  { name: "bit 1 set: no reference held (5.10)", pointer: POINTER + 2n, valid: false },
];

for (const { name, pointer, valid } of POINTERS) {
  test(`recordDecoder() ${valid ? "reports" : "never reports"} what stands behind a pointer that is ${name}`, () => {
    const behind = { net: pointer, ns: 4_026_532_200, cgp: pointer, cg: 99n };
    const { socket } = decode("attempt", attempt, { ...V4, ...behind });
    assert.equal(socket?.netns, valid ? 4_026_532_200 : undefined);
    assert.equal(socket?.cgroupId, valid ? 99n : undefined);
  });
}

/**
 * An attempt of 6.12.107 whose probe took `net` and `cgp` from a word that was 0 (test/vm/ends-stale.ts): 0 at 71 and 83, and at
 * 79 and 91 the record before it in the same memory, ns 4026532169 and cg 1. `sk` and `__probe_ip` are replaced.
 */
const STALE = parseXxd(`
  00000000: 1606 0000 a600 0000 0000 0081 ffff ffff
  00000010: 4056 3412 8088 ffff 0200 0192 9c4e e80a
  00000020: 4dc8 010a 4dc8 0200 0000 0000 0000 0000
  00000030: 00ff ff0a 4dc8 0100 0000 0000 0000 0000
  00000040: 00ff ff0a 4dc8 0200 0000 0000 0000 0049
  00000050: 0100 f000 0000 0000 0000 0001 0000 0000
  00000060: 0000 0000 0300 0000 0000 0023 0006 0033
  00000070: 0000 003a 4100 0001 0000 0000 d404 00a8
  00000080: 0500 0003 0000 0000 0000 0001 0000 00e4
  00000090: 0000 00a0 0905 0000 0000 0000 0000 000a
  000000a0: 2fdd 0db2 34dd 0d10 0100 a805 0000 0100
  000000b0: 0000 0000
`);

test("recordDecoder() reports nothing of what a failed dereference has left in a record of 6.12", () => {
  const view = new DataView(STALE.buffer);
  const [netns, cgroup] = ["ns", "cg"].map((name) => findField(attempt, [name])!.offset);
  assert.deepEqual([view.getUint32(netns!, true), view.getBigUint64(cgroup!, true)], [4_026_532_169, 1n]);
  const record = recordDecoder("attempt", attempt, FACTS)(view, 0, STALE.length, traceNanos(0), 0);
  assert.ok(typeof record !== "string" && record.socket !== undefined);
  const { netns: reported, cgroupId, localAddress, localPort, peerPort } = record.socket;
  assert.deepEqual([reported, cgroupId], [undefined, undefined]);
  assert.deepEqual([localAddress, localPort, peerPort], ["10.77.200.1", 40_082, 20_200]);
});

test("recordDecoder() judges the namespace's and the cgroup's pointer apart", () => {
  const { socket } = decode("attempt", attempt, { ...V4, net: 0n, ns: 1, cgp: POINTER, cg: 99n });
  assert.equal(socket?.netns, undefined);
  assert.equal(socket?.cgroupId, 99n);
});

const ADDRESSES = [
  {
    name: "IPv4 with stale IPv6 fields",
    values: { fam: 2, s4: LOCAL4!, d4: PEER4!, s6: LOCAL6, d6: PEER6 },
    ends: [4, "10.0.0.1", "192.168.7.255"],
  },
  {
    name: "IPv6 with stale IPv4 fields",
    values: { fam: 10, s4: LOCAL4!, d4: PEER4!, s6: LOCAL6, d6: PEER6 },
    ends: [6, "2001:db8::1", "fe80::a:b0c"],
  },
  {
    name: "an IPv6 socket that speaks IPv4",
    values: { fam: 10, s6: mapped(LOCAL4!), d6: mapped(PEER4!) },
    ends: [4, "10.0.0.1", "192.168.7.255"],
  },
];

for (const { name, values, ends } of ADDRESSES) {
  test(`recordDecoder() gives the addresses of ${name}`, () => {
    const { socket } = decode("attempt", attempt, { ...V4, ...values });
    assert.deepEqual([socket?.ipVersion, socket?.localAddress, socket?.peerAddress], ends);
  });
}

test("recordDecoder() gives a socket's own addresses although another one had its memory before", () => {
  const decoder = recordDecoder("attempt", attempt, FACTS);
  const addresses = [LOCAL4!, [10, 0, 0, 2], LOCAL4!].map((s4) => {
    const bytes = eventRecord(attempt, { ...V4, s4 });
    const record = decoder(new DataView(bytes.buffer), 0, bytes.length, traceNanos(0), 0);
    return typeof record === "string" ? record : record.socket?.localAddress;
  });
  assert.deepEqual(addresses, ["10.0.0.1", "10.0.0.2", "10.0.0.1"]);
});

test("recordDecoder() tells sockets apart whose addresses share a slot", () => {
  const decoder = recordDecoder("attempt", attempt, FACTS);
  const keys = [SOCKET, SOCKET + 64n * 4096n, SOCKET];
  const ports = keys.map((sk, i) => {
    const bytes = eventRecord(attempt, { ...V4, sk, s4: [10, 0, 0, i] });
    const record = decoder(new DataView(bytes.buffer), 0, bytes.length, traceNanos(0), 0);
    return typeof record === "string" ? record : record.socket?.localAddress;
  });
  assert.deepEqual(ports, ["10.0.0.0", "10.0.0.1", "10.0.0.2"]);
});

for (const [state, name] of TCP_STATE_NAMES.entries()) {
  test(`recordDecoder() gives state ${state} as it is: ${name}`, () => {
    assert.equal(decode("attempt", attempt, { ...V4, st: state }).socket?.state, state);
  });
}

/** `icsk_ca_state:6` until 5.4; `icsk_ca_state:5, icsk_ca_initialized:1` since 5.10. */
for (const { width, caState } of [
  { width: 5, caState: 3 },
  { width: 6, caState: 0b100011 },
]) {
  test(`recordDecoder() takes the ${width} bits of icsk_ca_state out of their byte`, () => {
    const facts = { ...FACTS, caState: { shift: 0, width } };
    const { socket } = decode("attempt", attempt, { ...V4, ca: 0b11_100011 }, { facts });
    assert.equal(socket?.caState, caState);
  });
}

test("recordDecoder() shifts a bitfield that does not begin its byte", () => {
  const facts = { ...FACTS, caState: { shift: 2, width: 5 } };
  assert.equal(decode("attempt", attempt, { ...V4, ca: 0b1_00100_11 }, { facts }).socket?.caState, 4);
});

test("recordDecoder() gives no RTO where CONFIG_HZ is not known", () => {
  const facts = { ...FACTS, hz: undefined };
  assert.equal(decode("attempt", attempt, { ...V4, rto: 50 }, { facts }).socket?.rto, undefined);
});

test("recordDecoder() gives no smoothed RTT before the first sample", () => {
  assert.equal(decode("attempt", attempt, { ...V4, srtt: 0 }).socket?.srtt, undefined);
  assert.equal(decode("attempt", attempt, { ...V4, srtt: 8 }).socket?.srtt, 1e-6);
});

test("recordDecoder() gives SOCK_DEAD from bit 0 of sk_flags alone", () => {
  assert.equal(decode("attempt", attempt, { ...V4, fl: 0x300 }).dead, false);
  assert.equal(decode("attempt", attempt, { ...V4, fl: 0x301 }).dead, true);
});

/** The tracepoint's ports are in host order; without `family` (before 5.15) IPv4 is v4-mapped in the IPv6 fields. */
const PLAIN_VALUES = { skaddr: SOCKET, state: 4, sport: 40_001, dport: 443, saddr: LOCAL4!, daddr: PEER4! };

test("recordDecoder() reads the tracepoint of 5.10, IPv4", () => {
  const format = kernelFormat("5.10", "outcome");
  const v6 = { saddr_v6: mapped(LOCAL4!), daddr_v6: mapped(PEER4!) };
  const record = decode("outcome", format, { ...PLAIN_VALUES, ...v6 });
  const { socket } = record;
  assert.deepEqual(
    [
      socket?.ipVersion,
      socket?.localAddress,
      socket?.localPort,
      socket?.peerAddress,
      socket?.peerPort,
      socket?.state,
    ],
    [4, "10.0.0.1", 40_001, "192.168.7.255", 443, 4],
  );
  const told = [socket?.netns, socket?.cgroupId, socket?.pending, socket?.rto, record.error, record.gsoSegs];
  assert.deepEqual(told, [undefined, undefined, undefined, undefined, undefined, undefined]);
});

test("recordDecoder() reads the tracepoint of 5.10, IPv6", () => {
  const format = kernelFormat("5.10", "outcome");
  const { socket } = decode("outcome", format, { ...PLAIN_VALUES, saddr_v6: LOCAL6, daddr_v6: PEER6 });
  assert.deepEqual(
    [socket?.ipVersion, socket?.localAddress, socket?.peerAddress],
    [6, "2001:db8::1", "fe80::a:b0c"],
  );
});

/** On 7.2 the tracepoint's own text showed `saddr=127.0.0.6` for an IPv6 request socket. */
test("recordDecoder() reads the tracepoint of 6.18 by its family, with its error", () => {
  const format = kernelFormat("6.18-tracepoint", "outcome");
  const values = { ...PLAIN_VALUES, family: 10, saddr: [127, 0, 0, 6], saddr_v6: LOCAL6, daddr_v6: PEER6 };
  const record = decode("outcome", format, { ...values, err: -16 });
  assert.deepEqual([record.socket?.localAddress, record.error], ["2001:db8::1", -16]);
  assert.equal(decode("outcome", format, { ...values, err: 1 }).error, 1);
});

test("recordDecoder() reads the error of an eprobe of 7.2, and none where the kernel has none", () => {
  assert.equal(decode("outcome", kernelFormat("7.2", "outcome"), { ...V4, err: -11 }).error, -11);
  assert.equal(decode("outcome", kernelFormat("6.12", "outcome"), V4).error, undefined);
});

test("recordDecoder() keys a SYN-ACK by its request socket, whose state it tells", () => {
  const request = { fam: 2, lp: 80, dp: Uint8Array.of(0xa0, 1), s4: LOCAL4!, d4: PEER4! };
  const values = { ...request, req: SOCKET, st: 12, net: POINTER, ns: 7, rtm: 3 };
  const { key, socket } = decode("syn_ack", kernelFormat("6.12", "syn_ack"), values);
  assert.equal(key, Number(SOCKET & ((1n << 53n) - 1n)));
  assert.deepEqual(
    [socket?.state, socket?.localPort, socket?.peerPort, socket?.netns, socket?.retransmits],
    [12, 80, 0xa001, 7, 3],
  );
  const plain = { ...PLAIN_VALUES, req: SOCKET, saddr_v6: mapped(LOCAL4!), daddr_v6: mapped(PEER4!) };
  const { state: _, ...noState } = plain;
  const format = kernelFormat("5.10", "syn_ack");
  const record = decode("syn_ack", format, { ...noState, skaddr: POINTER });
  assert.deepEqual([record.key, record.socket?.state], [key, 12]);
});

test("recordDecoder() reads tcp_cong_state_set", () => {
  const format = kernelFormat("6.18-tracepoint", "ca_state");
  const { sport, dport, saddr, daddr, skaddr } = PLAIN_VALUES;
  const record = decode("ca_state", format, { family: 2, sport, dport, saddr, daddr, skaddr, cong_state: 4 });
  assert.equal(record.congState, 4);
});

test("recordDecoder() reads an entry's and a return's socket without its fields", () => {
  const entry = decode("reordering_enter", kernelFormat("6.12", "reordering_enter"), { sk: SOCKET });
  assert.equal(entry.socket, undefined);
  assert.equal(entry.key, Number(SOCKET & ((1n << 53n) - 1n)));
  const back = decode("loss_probe_return", kernelFormat("6.12", "loss_probe_return"), { sk: SOCKET, tlp: 8 });
  assert.deepEqual([back.socket, back.tlpHighSeq, back.key], [undefined, 8, entry.key]);
});

test("recordDecoder() gives record-too-short for every length below the format's", () => {
  const bytes = eventRecord(attempt, V4);
  const decoder = recordDecoder("attempt", attempt, FACTS);
  for (let length = 8; length < bytes.length; length++) {
    // A view that ends where the record does: a read beyond it would throw.
    const view = new DataView(bytes.buffer, 0, length);
    assert.equal(decoder(view, 0, length, traceNanos(0), 0), "record-too-short");
  }
});

for (const family of [0, 1, 3, 11, 0xa5a5]) {
  test(`recordDecoder() gives unknown-family for family ${family}`, () => {
    const bytes = eventRecord(attempt, { ...V4, fam: family });
    const decoder = recordDecoder("attempt", attempt, FACTS);
    assert.equal(decoder(new DataView(bytes.buffer), 0, bytes.length, traceNanos(0), 0), "unknown-family");
  });
}

test("recordDecoder() gives unknown-family for IPv6 where the format has no IPv6 addresses", () => {
  const format = probeFormat("p", 9, ["sk:8", "fam:2", "s4:4", "d4:4"]);
  const bytes = eventRecord(format, { sk: SOCKET, fam: 10 });
  const decoder = recordDecoder("attempt", format, FACTS);
  assert.equal(decoder(new DataView(bytes.buffer), 0, bytes.length, traceNanos(0), 0), "unknown-family");
});

for (const role of ["attempt", "loss_probe", "outcome", "syn_ack_attempt", "syn_ack"] as const) {
  for (const { name, fields } of [
    { name: "no addresses", fields: ["sk:8", "req:8", "fam:2"] },
    { name: "addresses of another size", fields: ["sk:8", "req:8", "fam:2", "s4:4", "d4:1"] },
  ]) {
    test(`recordDecoder() gives no-addresses for role ${role} whose format has ${name}`, () => {
      const format = probeFormat("p", 9, fields);
      const bytes = eventRecord(format, { fam: 2 });
      const decoder = recordDecoder(role, format, FACTS);
      assert.equal(decoder(new DataView(bytes.buffer), 0, bytes.length, traceNanos(0), 0), "no-addresses");
    });
  }
}

test("recordDecoder() does not read a port beyond a field that is smaller than a port", () => {
  const format = probeFormat("p", 9, ["sk:8", "fam:2", "s4:4", "d4:4", "dp:1"]);
  const bytes = eventRecord(format, { fam: 2, s4: LOCAL4!, d4: PEER4!, dp: 9 });
  const record = recordDecoder("attempt", format, FACTS)(
    new DataView(bytes.buffer),
    0,
    bytes.length,
    traceNanos(0),
    0,
  );
  assert.equal(typeof record === "string" ? record : record.socket?.peerPort, 0);
});
