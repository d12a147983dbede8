import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  CHUNK,
  encodeChunk,
  encodeJsonChunk,
  encodeTickChunk,
  MAGIC,
  RecordingError,
} from "../../src/agent/recording-format.ts";
import { RecordingReader } from "../../src/agent/recording-reader.ts";
import { RecordingWriter } from "../../src/agent/recording-writer.ts";
import type { TcpEvent } from "../../src/event/tcp-event.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { type CaptureLayout, PageDecoder } from "../../src/probe/page-decoder.ts";
import { Pairer } from "../../src/probe/pairer.ts";
import { parseEventFormat } from "../../src/tracefs/event-format.ts";
import { eventRecord, type FieldValue, probeFormat, stackRecord } from "../support/event-record.ts";
import { kernelFormat, RECORDINGS, recordingHeader, recordingPath } from "../support/kernels.ts";
import { type PageWriter, pageEpoch, pageWriter } from "../support/page-writer.ts";
import { replayBytes, replayFile, withFile } from "../support/replay.ts";

const HEADER = recordingHeader("6.12-stacks");
const STACK_FORMAT = parseEventFormat(HEADER.stackFormat!);
const ATTEMPT = kernelFormat("6.12-stacks", "attempt");
const OUTCOME = kernelFormat("6.12-stacks", "outcome");
const EPOCH = 7_000_000_000n;
const CAPTURE: CaptureLayout = {
  headerPage: HEADER.headerPage,
  events: [
    { role: "attempt", format: ATTEMPT },
    { role: "outcome", format: OUTCOME },
  ],
  stackFormat: STACK_FORMAT,
  facts: HEADER.facts,
};

/** Kernel addresses as an x86-64 has them: objects, module and text. */
const SOCKET = 0xffff_8880_1234_5640n;
const NET = 0xffff_ffff_9abc_def0n;
const CGROUP = 0xffff_8881_0bad_c0d8n;
const TEXT = 0xffff_ffff_8182_8384n;
const TEXT_2 = 0xffff_ffff_c0aa_bb11n;
const SECRET = 0xffff_8880_5ec2_e7aan;
const NAMES = new Map([
  [TEXT, "tcp_retransmit_skb"],
  [TEXT_2, "tcp_rack_reo_timeout"],
]);

const SOCKET_VALUES = {
  sk: SOCKET,
  fam: 2,
  st: 1,
  lp: 5000,
  dp: 80,
  s4: [10, 0, 0, 1],
  d4: [10, 0, 0, 2],
  net: NET,
  ns: 4_026_531_840,
  cgp: CGROUP,
  cg: 33,
  ca: 3,
  pnd: 6,
  seq: 1,
  end: 2,
};

interface Written {
  readonly bytes: Buffer;
  /** What the pages give without a recording between. */
  readonly live: readonly TcpEvent[];
}

/** Records pages as a running capture would, and decodes the same pages beside it. */
function record(pages: readonly PageWriter[], { capture = CAPTURE, rearm = false } = {}): Written {
  const directory = mkdtempSync(join(tmpdir(), "tcpretrans-test-"));
  const path = join(directory, "a.rec");
  const fd = openSync(path, "w");
  const epoch = pageEpoch(EPOCH);
  const { version, tool, kernel, rung, stacks, utcOffsetMinutes } = HEADER;
  const header = { version, tool, kernel, rung, stacks, utcOffsetMinutes, epoch };
  const writer = new RecordingWriter(fd, { header, capture, nameOf: (address) => NAMES.get(address) });
  const decoder = new PageDecoder(capture, epoch);
  const live: TcpEvent[] = [];
  const functionsOf = (stack: readonly bigint[]) => stack.map((address) => NAMES.get(address) ?? "?");
  const pairer = new Pairer({ rung, functionsOf, emit: (event) => live.push(event) });
  if (rearm) writer.events(capture.events);
  for (const page of pages) {
    const bytes = page.bytes();
    const view = new DataView(bytes.buffer);
    const before = bytes.slice();
    writer.page(1, view, bytes.length);
    assert.deepEqual(bytes, before, "the page itself stays as it is");
    decoder.page(1, view, bytes.length);
  }
  writer.tick(traceNanos(1e9), 1_700_000_000_000_000_000n);
  writer.end(17);
  for (const one of decoder.take(traceNanos(1e15))) pairer.push(one);
  pairer.settle(traceNanos(1e9));
  pairer.end();
  closeSync(fd);
  const bytes = readFileSync(path);
  rmSync(directory, { recursive: true });
  return { bytes, live };
}

const values = (more: Record<string, FieldValue>) => ({ ...SOCKET_VALUES, ...more });
const page = (time: number) => pageWriter({ epoch: pageEpoch(EPOCH), time });
const pair = (writer: PageWriter) =>
  writer
    .record(10, eventRecord(ATTEMPT, values({ segs: 2, __probe_ip: TEXT }), { stale: 0xff }))
    .record(1, stackRecord(STACK_FORMAT, [TEXT, TEXT_2], { flags: 0xff }))
    .record(10, eventRecord(OUTCOME, values({ gso: 2 }), { stale: 0xff }))
    .record(1, stackRecord(STACK_FORMAT, [TEXT, TEXT_2], { flags: 0xff }));

/** Events without what a recording aliases. */
const comparable = (events: readonly TcpEvent[]) =>
  events.map(({ socket: { key: _, ...socket }, stack, ...event }) => ({
    ...event,
    socket,
    depth: stack?.length,
  }));

test("RecordingWriter and RecordedSource give the same events as the pages themselves", () => {
  const { bytes, live } = record([pair(page(0)), pair(page(500))]);
  const replayed = replayBytes(bytes);
  assert.equal(live.length, 2);
  assert.equal(live[0]?.cause, "reordering");
  assert.deepEqual(comparable(replayed.events), comparable(live));
  assert.equal(replayed.overrun, 17);
  assert.equal(replayed.header.version, 1);
  const names = replayed.events[0]?.stack?.map((address) => replayed.symbols.get(address));
  assert.deepEqual(names, ["tcp_retransmit_skb", "tcp_rack_reo_timeout"]);
});

test("RecordedSource hands over formats of probes that were installed again", () => {
  const { bytes, live } = record([pair(page(0))], { rearm: true });
  assert.deepEqual(comparable(replayBytes(bytes).events), comparable(live));
});

/** Bytes of an address that must not be found, in either byte order and without its common upper half. */
function assertAbsent(bytes: Buffer, address: bigint, what: string): void {
  const little = Buffer.alloc(8);
  little.writeBigUInt64LE(address);
  for (const part of [little.subarray(0, 4), little.toReversed().subarray(4)]) {
    assert.equal(bytes.indexOf(part), -1, what);
  }
  assert.equal(bytes.indexOf(address.toString(16)), -1, what);
  assert.equal(bytes.indexOf(address.toString(10)), -1, what);
}

test("RecordingWriter writes no kernel address: fields, stacks and symbols hold aliases", () => {
  const { bytes } = record([pair(page(0))]);
  for (const address of [SOCKET, NET, CGROUP, TEXT, TEXT_2])
    assertAbsent(bytes, address, address.toString(16));
});

const bytesOf = (address: bigint) => {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setBigUint64(0, address, true);
  new DataView(bytes.buffer).setBigUint64(8, address, true);
  return bytes;
};
const ofSecret = eventRecord(ATTEMPT, values({ sk: SECRET }));

/** Places where memory that was not written for a record can be. */
const LEAKS = [
  {
    name: "an IPv4 socket's IPv6 fields",
    add: (p: PageWriter) =>
      p.record(1, eventRecord(ATTEMPT, values({ s6: bytesOf(SECRET), d6: bytesOf(SECRET) }))),
  },
  {
    name: "the value behind a pointer of 0",
    add: (p: PageWriter) => p.record(1, eventRecord(ATTEMPT, values({ cgp: 0, cg: SECRET }))),
  },
  {
    name: "the value behind a tagged pointer",
    add: (p: PageWriter) => p.record(1, eventRecord(ATTEMPT, values({ cgp: CGROUP + 2n, cg: SECRET }))),
  },
  {
    name: "a record of an event that is not ours",
    add: (p: PageWriter) => p.record(1, eventRecord(ATTEMPT, { common_type: 7, sk: SECRET })),
  },
  { name: "a record that is too short", add: (p: PageWriter) => p.record(1, ofSecret.slice(0, 40)) },
  {
    name: "the end of a record that is too long",
    add: (p: PageWriter) =>
      p.record(
        1,
        Uint8Array.of(...eventRecord(ATTEMPT, values({})), ...new Uint8Array(8), ...bytesOf(SECRET)),
      ),
  },
  {
    name: "a stack beyond its size",
    add: (p: PageWriter) => p.record(1, stackRecord(STACK_FORMAT, [TEXT, SECRET], { size: 1 })),
  },
  {
    name: "a discarded record",
    add: (p: PageWriter) =>
      p
        .u32((1 << 5) | 29)
        .u32(ofSecret.length + 4)
        .raw(ofSecret),
  },
  { name: "what follows a fault", add: (p: PageWriter) => p.u32(0).u32(4).raw(ofSecret) },
];

for (const { name, add } of LEAKS) {
  test(`RecordingWriter writes no kernel address that stands in ${name}`, () => {
    const { bytes, live } = record([add(pair(page(0)))]);
    assertAbsent(bytes, SECRET, name);
    assert.deepEqual(comparable(replayBytes(bytes).events), comparable(live));
  });
}

test("RecordingWriter writes nothing of a page whose commit is beyond its end", () => {
  const broken = pair(pageWriter({ epoch: pageEpoch(EPOCH), commit: 100_000 }));
  const { bytes } = record([broken]);
  for (const address of [SOCKET, NET, CGROUP, TEXT]) assertAbsent(bytes, address, address.toString(16));
  assert.deepEqual([...replayBytes(bytes).decoded.faults], [["commit-overflow", 1]]);
});

test("RecordingWriter keeps a page's fault and its count of lost records", () => {
  const faulty = pair(pageWriter({ epoch: pageEpoch(EPOCH), missed: 99 }))
    .nullPadding()
    .raw(ofSecret);
  const { bytes } = record([faulty]);
  const { decoded } = replayBytes(bytes);
  assert.deepEqual([decoded.missed, ...decoded.faults], [99, ["null-padding", 1]]);
});

test("RecordingWriter skips a page that is shorter than its header", () => {
  const { bytes } = record([]);
  const directory = replayBytes(bytes);
  assert.equal(directory.decoded.pages, 0);
});

for (const name of RECORDINGS) {
  test(`The recording of ${name} holds no address of the direct map, of vmalloc, of modules or of kernel text`, () => {
    const bytes = readFileSync(recordingPath(name));
    // x86-64, four levels (Documentation/arch/x86/x86_64/mm.rst): all that the kernel maps begins at ffff8880…;
    // aliases begin with ffff8000, and small negative numbers end beyond it.
    for (
      let at = bytes.indexOf("\xff\xff", 0, "latin1");
      at >= 6;
      at = bytes.indexOf("\xff\xff", at + 1, "latin1")
    ) {
      const value = bytes.readBigUInt64LE(at - 6);
      const plausible =
        (value & 0xffff_ffffn) !== 0n && value > 0xffff_8880_0000_0000n && value < 0xffff_ffff_ffe0_0000n;
      assert.ok(!plausible, `${value.toString(16)} at ${at - 6}`);
    }
  });
}

// Reading what is damaged or foreign.

const SMALL_FORMATS = [
  { role: "attempt" as const, format: probeFormat("a", 900, ["sk:8", "fam:2", "s4:4", "d4:4"]) },
  { role: "outcome" as const, format: probeFormat("o", 901, ["sk:8", "fam:2", "s4:4", "d4:4"]) },
];
const SMALL = record(
  [
    SMALL_FORMATS.reduce(
      (writer, { format }) => writer.record(1, eventRecord(format, { sk: SOCKET, fam: 2 })),
      page(0),
    ),
  ],
  { capture: { ...CAPTURE, events: SMALL_FORMATS, stackFormat: undefined } },
).bytes;

test("RecordingReader gives whole chunks of a file cut off anywhere, and throws only RecordingError", () => {
  const end = SMALL.length - encodeJsonChunk(CHUNK.end, { overrun: 17 }).length;
  assert.equal(replayBytes(SMALL).events.length, 1);
  withFile(SMALL, (path) => {
    for (let length = SMALL.length - 1; length >= 0; length--) {
      truncateSync(path, length);
      try {
        const { overrun, events } = replayFile(path);
        assert.equal(overrun, undefined, "its end is not there");
        if (length >= end) assert.equal(events.length, 1);
      } catch (error) {
        assert.ok(error instanceof RecordingError, String(error));
      }
    }
  });
});

const magic = Buffer.from(MAGIC, "latin1");
const headerText = JSON.parse(headerJson(SMALL));
const withHeader = (change: Record<string, unknown>) =>
  Buffer.concat([magic, encodeJsonChunk(CHUNK.header, { ...headerText, ...change })]);
const after = (...chunks: Uint8Array[]) => Buffer.concat([withHeader({}), ...chunks]);

function headerJson(bytes: Buffer): string {
  const at = MAGIC.length + 5;
  return bytes.toString("utf8", at, at + bytes.readUInt32LE(MAGIC.length + 1));
}

const DAMAGED = "Cannot replay: the recording's header is damaged";
const SYMBOLS = "Cannot replay: the recording's symbols are damaged";
const UNKNOWN_PROBE = "Cannot replay: the recording names a probe that this version does not know";
const BAD_FORMAT = "Cannot replay: the recording has an event format that cannot be read";

const BAD = [
  {
    name: "an empty file",
    bytes: Buffer.alloc(0),
    says: "Cannot replay: the file is not a tcpretrans recording",
  },
  {
    name: "a foreign file",
    bytes: Buffer.from("\x7fELF and more"),
    says: "Cannot replay: the file is not a tcpretrans recording",
  },
  { name: "nothing behind the magic", bytes: magic, says: "Cannot replay: the recording has no header" },
  {
    name: "another chunk first",
    bytes: Buffer.concat([magic, encodeChunk(CHUNK.end, new Uint8Array())]),
    says: "Cannot replay: the recording has no header",
  },
  {
    name: "a header that is no JSON",
    bytes: Buffer.concat([magic, encodeChunk(CHUNK.header, magic)]),
    says: "Cannot replay: the recording is damaged (a chunk is not JSON)",
  },
  {
    name: "a header that is null",
    bytes: Buffer.concat([magic, encodeJsonChunk(CHUNK.header, null)]),
    says: "Cannot replay: the recording has format version none, this tcpretrans reads 1",
  },
  {
    name: "a newer version",
    bytes: withHeader({ version: 2 }),
    says: "Cannot replay: the recording has format version 2, this tcpretrans reads 1",
  },
  {
    name: "a version that is no number",
    bytes: withHeader({ version: { toString: 1, valueOf: 1 } }),
    says: /format version \S+, this tcpretrans reads 1/,
  },
  {
    name: "a chunk longer than any",
    bytes: after(new Uint8Array([2, 0, 0, 0, 0xff])),
    says: /^Cannot replay: byte \d+ of the recording begins no chunk$/,
  },
  {
    name: "an unknown chunk",
    bytes: after(encodeChunk(99, magic)),
    says: "Cannot replay: the recording has a chunk of unknown kind 99",
  },
  {
    name: "a page without a CPU",
    bytes: after(encodeChunk(CHUNK.page, new Uint8Array(1))),
    says: "Cannot replay: the recording is damaged (a page is too short)",
  },
  {
    name: "a short tick",
    bytes: after(encodeChunk(CHUNK.tick, new Uint8Array(15))),
    says: "Cannot replay: the recording is damaged (a tick is too short)",
  },
  { name: "symbols that are no list", bytes: after(encodeJsonChunk(CHUNK.symbols, {})), says: SYMBOLS },
  {
    name: "symbols without addresses",
    bytes: after(encodeJsonChunk(CHUNK.symbols, [["x", "f"]])),
    says: SYMBOLS,
  },
  {
    name: "symbols whose name is an object",
    bytes: after(encodeJsonChunk(CHUNK.symbols, [["1", { toString: 1 }]])),
    says: SYMBOLS,
  },
  { name: "events that are no list", bytes: after(encodeJsonChunk(CHUNK.events, 5)), says: UNKNOWN_PROBE },
  {
    name: "events of an unknown role",
    bytes: after(encodeJsonChunk(CHUNK.events, [{ role: "x", format: "" }])),
    says: UNKNOWN_PROBE,
  },
  {
    name: "events whose format makes no sense",
    bytes: after(encodeJsonChunk(CHUNK.events, [{ role: "outcome", format: "" }])),
    says: BAD_FORMAT,
  },
  ...[Number.NaN, Number.POSITIVE_INFINITY, -1e300].map((watermark) => ({
    name: `a tick at ${watermark} ns`,
    bytes: after(encodeTickChunk(watermark, 0n)),
    says: "Cannot replay: the recording is damaged (a tick has no time)",
  })),
  {
    name: "an unknown role in the header",
    bytes: withHeader({ events: [{ role: 5, format: "" }] }),
    says: UNKNOWN_PROBE,
  },
  {
    name: "a format in the header that makes no sense",
    bytes: withHeader({ events: [{ role: "outcome", format: "x" }] }),
    says: BAD_FORMAT,
  },
  { name: "a stack format that is no text", bytes: withHeader({ stackFormat: 5 }), says: DAMAGED },
  { name: "a stack format that makes no sense", bytes: withHeader({ stackFormat: "x" }), says: BAD_FORMAT },
  {
    name: "a header_page that makes no sense",
    bytes: withHeader({ headerPage: "x" }),
    says: "Cannot replay: the recording has a page layout that cannot be read",
  },
  {
    name: "an HZ that is no number",
    bytes: withHeader({ facts: { hz: { valueOf: 1 }, caState: { shift: 0, width: 5 } } }),
    says: DAMAGED,
  },
  {
    name: "a shift that is no bit of a byte",
    bytes: withHeader({ facts: { caState: { shift: 9, width: 5 } } }),
    says: DAMAGED,
  },
  {
    name: "a release that is no text",
    bytes: withHeader({ kernel: { release: 5, machine: "x" } }),
    says: DAMAGED,
  },
  { name: "a rung that is none", bytes: withHeader({ rung: "bpf" }), says: DAMAGED },
  { name: "an epoch beyond 64 bits", bytes: withHeader({ epoch: { hi: 2 ** 32, lo: 0 } }), says: DAMAGED },
  { name: "a time zone that is none", bytes: withHeader({ utcOffsetMinutes: 1e9 }), says: DAMAGED },
  { name: "stacks that are neither yes nor no", bytes: withHeader({ stacks: "yes" }), says: DAMAGED },
  ...["headerPage", "facts", "epoch", "rung", "utcOffsetMinutes", "kernel", "stacks"].map((member) => ({
    name: `a header without ${member}`,
    bytes: withHeader({ [member]: undefined }),
    says: DAMAGED,
  })),
];

for (const { name, bytes, says } of BAD) {
  test(`RecordingReader or RecordedSource throws RecordingError on ${name}`, () => {
    assert.throws(() => replayBytes(bytes), { name: "RecordingError", message: says });
  });
}

test("RecordingReader reads what it needs of a header of this version, and lets the rest be", () => {
  assert.equal(replayBytes(withHeader({ more: [1] })).events.length, 0);
});

test("RecordedSource replays records of formats without addresses as counted faults", () => {
  const format = probeFormat("outcome", OUTCOME.id, ["sk:8"]);
  const bytes = record([page(0).record(1, eventRecord(format, { sk: SOCKET }))], {
    capture: { ...CAPTURE, events: [{ role: "outcome", format }] },
  }).bytes;
  const { events, decoded } = replayBytes(bytes);
  assert.equal(events.length, 0);
  assert.deepEqual([...decoded.faults], [["no-addresses", 1]]);
});

test("RecordingReader reads chunks across the blocks of a long file", () => {
  const directory = mkdtempSync(join(tmpdir(), "tcpretrans-test-"));
  try {
    const chunk = encodeChunk(CHUNK.page, new Uint8Array(4096).fill(7));
    const path = join(directory, "long.rec");
    writeFileSync(path, Buffer.concat([magic, ...Array(600).fill(chunk)]));
    const fd = openSync(path, "r");
    const reader = new RecordingReader(fd);
    let count = 0;
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      assert.equal(next.payload.byteLength, 4096);
      assert.equal(next.payload.getUint8(4095), 7);
      count++;
    }
    closeSync(fd);
    assert.equal(count, 600);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
