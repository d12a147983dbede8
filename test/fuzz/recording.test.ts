import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import {
  CHUNK,
  encodeChunk,
  encodeJsonChunk,
  MAGIC,
  RecordingError,
} from "../../src/agent/recording-format.ts";
import type { SocketKey } from "../../src/event/tcp-event.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { type DecodeFacts, recordDecoder } from "../../src/probe/decode-record.ts";
import { PointerAliases, recordScrubber } from "../../src/probe/pointer-aliases.ts";
import { DECODE_FAULTS, ROLES, type Role } from "../../src/probe/probe-record.ts";
import { type EventFormat, parseEventFormat } from "../../src/tracefs/event-format.ts";
import { eventRecord } from "../support/event-record.ts";
import { FUZZ_RUNS, mutatedBytes, mutatedText } from "../support/fuzz.ts";
import { kernelFormat, RECORDINGS, recordingHeader, recordingPath } from "../support/kernels.ts";
import { replayBytes } from "../support/replay.ts";

/** Of what is replayed from a file: a tenth of the runs, each with a hundred records or a file system between. */
const RECORDING_RUNS = { numRuns: Math.ceil(FUZZ_RUNS.numRuns / 10) };
const FACTS: DecodeFacts = {
  hz: 250,
  caState: { shift: 0, width: 5 },
  keyOf: (pointer) => pointer as SocketKey,
};
const REAL = RECORDINGS.map((name) => readFileSync(recordingPath(name)));
/** With every chunk near the start, so that most changes fall on their frames and JSON. */
const SMALL = RECORDINGS.map((name) => {
  const { events: _, ...header } = recordingHeader(name);
  const chunks = [
    encodeJsonChunk(CHUNK.header, { ...header, events: [] }),
    encodeJsonChunk(CHUNK.symbols, [["18446603336221196288", "tcp_retransmit_skb"]]),
    encodeJsonChunk(CHUNK.events, []),
    encodeChunk(CHUNK.page, new Uint8Array(40)),
    encodeChunk(CHUNK.tick, new Uint8Array(16)),
    encodeJsonChunk(CHUNK.end, { overrun: 0 }),
  ];
  return Uint8Array.from(Buffer.concat([Buffer.from(MAGIC, "latin1"), ...chunks]));
});

test("RecordedSource, PageDecoder and Pairer throw only RecordingErrors on any change of a real recording", () => {
  fc.assert(fc.property(mutatedBytes(REAL), replayAny), RECORDING_RUNS);
});

test("RecordingReader throws only RecordingErrors on any change of a small recording", () => {
  fc.assert(fc.property(mutatedBytes(SMALL), replayAny), RECORDING_RUNS);
});

test("RecordedSource throws only RecordingErrors on any JSON in a chunk", () => {
  const chunk = fc.tuple(fc.constantFrom(CHUNK.header, CHUNK.symbols, CHUNK.events, CHUNK.end), anyJson());
  const magic = Buffer.from(MAGIC, "latin1");
  const valid = encodeJsonChunk(CHUNK.header, recordingHeader("6.12"));
  const property = fc.property(chunk, fc.boolean(), ([kind, value], first) => {
    replayAny(Buffer.concat([magic, ...(first ? [] : [valid]), encodeJsonChunk(kind, value)]));
  });
  fc.assert(property, RECORDING_RUNS);
});

test("RecordedSource throws only RecordingErrors on any JSON in a member of the header", () => {
  const header = recordingHeader("6.12-stacks");
  const member = fc.constantFrom(...Object.keys(header));
  const property = fc.property(member, anyJson(), (name, value) => {
    const chunk = encodeJsonChunk(CHUNK.header, { ...header, [name]: value });
    replayAny(Buffer.concat([Buffer.from(MAGIC, "latin1"), chunk]));
  });
  fc.assert(property, RECORDING_RUNS);
});

/** JSON with objects that cannot become text or a number. */
function anyJson() {
  const broken = fc.constantFrom({ toString: 1, valueOf: 1 }, [{ toString: null }], [["1", { toString: 1 }]]);
  return fc.oneof({ weight: 6, arbitrary: fc.jsonValue({ maxDepth: 3 }) }, { weight: 1, arbitrary: broken });
}

function replayAny(bytes: Uint8Array): void {
  try {
    for (const { time, segments } of replayBytes(bytes).events) {
      if (typeof time !== "number" || Number.isNaN(segments)) assert.fail(`${time} ${segments}`);
    }
  } catch (error) {
    if (!(error instanceof RecordingError)) throw error;
  }
}

const FORMATS = (["attempt", "outcome", "syn_ack", "loss_probe_return"] as const).map((role) => ({
  role,
  format: kernelFormat("6.12", role),
}));
const PLAIN = kernelFormat("5.10", "outcome");

for (const { role, format } of [...FORMATS, { role: "outcome" as const, format: PLAIN }]) {
  test(`recordDecoder() and recordScrubber() stay inside the record, whatever the format of ${format.name}`, () => {
    const property = fc.property(
      mutatedText(fieldsOf(format)),
      fc.constantFrom(...ROLES),
      fc.boolean(),
      (text, any, own) => {
        const parsed = parsedFormat(text);
        if (parsed !== undefined) check(own ? role : any, parsed, new Uint8Array(256).fill(0xa5));
      },
    );
    fc.assert(property, FUZZ_RUNS);
  });

  test(`recordDecoder() gives a record or a fault on any payload of ${format.name}`, () => {
    const seeds = [2, 10, 0].map((fam) => eventRecord(format, format === PLAIN ? {} : familyOf(format, fam)));
    const property = fc.property(mutatedBytes(seeds), (payload) => check(role, format, payload));
    fc.assert(property, FUZZ_RUNS);
  });
}

/** Without the text for people, which nothing reads. */
function fieldsOf({ text }: EventFormat): string {
  return text.slice(0, text.indexOf("print fmt:"));
}

function familyOf(format: EventFormat, fam: number): Record<string, number> {
  return format.fields.some(({ name }) => name === "fam") ? { fam } : {};
}

function parsedFormat(text: string): EventFormat | undefined {
  try {
    return parseEventFormat(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The view ends where the record does: a read beyond it throws. */
function check(role: Role, format: EventFormat, payload: Uint8Array): void {
  const bytes = payload.slice();
  const view = new DataView(bytes.buffer);
  const record = recordDecoder(role, format, FACTS)(view, 0, bytes.length, traceNanos(1), 0);
  if (typeof record === "string") {
    if (!DECODE_FAULTS.includes(record)) assert.fail(record);
  } else if (record.role !== role || !Number.isFinite(record.key)) assert.fail(JSON.stringify(record));
  if (bytes.length >= 8) recordScrubber(format, new PointerAliases())(view, 0, bytes.length);
}
