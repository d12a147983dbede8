import assert from "node:assert/strict";
import { test } from "node:test";
import { ProtobufLogsSerializer } from "@opentelemetry/otlp-transformer";
import type { ReadableLogRecord } from "@opentelemetry/sdk-logs";
import fc from "fast-check";
import type { PodRecord } from "../../../src/event/cluster.ts";
import { ATTRIBUTE_DOCS } from "../../../src/export/attribute-docs.ts";
import { ATTRIBUTES, DOUBLE_ATTRIBUTES } from "../../../src/export/attributes.ts";
import type { LogEntry } from "../../../src/export/log-entry.ts";
import { directLogEmitter, isWithinLimits } from "../../../src/export/otlp/direct-log.ts";
import { logEmitter } from "../../../src/export/otlp/emit-log.ts";
import { type EncodableRecord, encodeLogs } from "../../../src/export/otlp/encode-logs.ts";
import { decodeRequest } from "./decode-otlp.ts";
import { podRecord } from "./settings.ts";

const EMITTER = {
  scope: ["tcpretrans", "1.2.3"],
  resource: { "service.name": "tcpretrans", "some.list": ["a", "b"] },
  podResources: ({ name }: PodRecord) => ({ "service.name": name }),
} as const;

/** The SDK's records of what a function emits. */
function recordsOf(emit: (emitter: ReturnType<typeof logEmitter>) => void): readonly ReadableLogRecord[] {
  const records: ReadableLogRecord[] = [];
  const nothing = async () => undefined;
  const emitter = logEmitter({
    ...EMITTER,
    processor: { onEmit: (record) => void records.push(record), forceFlush: nothing, shutdown: nothing },
    limits: {},
  });
  emit(emitter);
  return records;
}

/** The same records without the SDK's loggers, observed when theirs were. */
function directRecords(
  entries: readonly LogEntry[],
  theirs: readonly ReadableLogRecord[],
): readonly EncodableRecord[] {
  const records: EncodableRecord[] = [];
  const emit = directLogEmitter({
    ...EMITTER,
    add: (record) => void records.push(record),
    unixMs: () => {
      const [seconds, nanos] = theirs[records.length]!.hrTimeObserved;
      return seconds * 1000 + nanos / 1e6;
    },
  });
  for (const one of entries) emit(one);
  return records;
}

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "grapheme" }),
  fc.constantFrom("x".repeat(127), "x".repeat(128), "é".repeat(64), "x".repeat(20_000), "\ud800"),
);
const number = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(0, -0, 127, 128, 2 ** 32, 2 ** 53, 2 ** 62, 2 ** 63, -(2 ** 63), 1e300),
);
const key = fc
  .string({ minLength: 1 })
  .filter((name) => !DOUBLE_ATTRIBUTES.has(name) && !(name in Object.prototype));
const entry = fc.record({
  eventName: text,
  timeUnixNanos: fc.bigInt({ min: 0n, max: 4_000_000_000_000_000_000n }),
  body: text,
  attributes: fc.dictionary(key, fc.oneof(text, number, fc.boolean(), fc.array(text))),
  pod: fc.constantFrom(undefined, podRecord(), podRecord({ uid: "2", name: "other" })),
  context: fc.option(
    fc.record({
      traceId: fc.stringMatching(/^[1-9a-f][0-9a-f]{31}$/),
      spanId: fc.stringMatching(/^[1-9a-f][0-9a-f]{15}$/),
    }),
    { nil: undefined },
  ),
});

test("encodeLogs() writes the SDK's bytes", () => {
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 8 }), (entries) => {
      const records = recordsOf((emit) => entries.forEach(emit));
      assert.equal(records.length, entries.length);
      const theirs = ProtobufLogsSerializer.serializeRequest([...records])!;
      assert.deepEqual(Buffer.from(encodeLogs(records)), Buffer.from(theirs));
      const direct = encodeLogs(directRecords(entries, records));
      assert.deepEqual(Buffer.from(direct), Buffer.from(theirs), "directLogEmitter() makes the same records");
    }),
    { numRuns: Number(process.env["FUZZ_RUNS"] ?? 300) },
  );
});

test("encodeLogs() writes whole numbers of doubles as doubles, where the SDK writes integers", () => {
  const attributes = { "tcp.rto": 1, "tcp.cwnd": 10 };
  const records = recordsOf((emit) =>
    emit({ eventName: "e", timeUnixNanos: 1n, body: "", attributes, pod: undefined, context: undefined }),
  );
  const [ours] = decodeRequest("logs", encodeLogs(records));
  assert.deepEqual(ours?.attributes, attributes);
  // Field 4 of an AnyValue, as fixed64: 1.0.
  assert.ok(
    Buffer.from(encodeLogs(records)).includes(Buffer.from("12" + "09" + "21" + "000000000000f03f", "hex")),
  );
  const theirs = Buffer.from(ProtobufLogsSerializer.serializeRequest([...records])!);
  assert.ok(
    !theirs.includes(Buffer.from("000000000000f03f", "hex")),
    "the SDK has learnt it: use its serializer",
  );
});

test("DOUBLE_ATTRIBUTES are those that are documented as doubles", () => {
  const documented = Object.entries(ATTRIBUTES).filter(
    ([name]) => ATTRIBUTE_DOCS[name as keyof typeof ATTRIBUTES].type === "double",
  );
  assert.deepEqual(documented.map(([, exported]) => exported).sort(), [...DOUBLE_ATTRIBUTES].sort());
});

test("isWithinLimits() is true of the defaults, and of none that can cut a record", () => {
  assert.equal(isWithinLimits({ attributeCountLimit: 128 }), true);
  assert.equal(isWithinLimits({ attributeCountLimit: 40 }), false);
  assert.equal(isWithinLimits({ attributeCountLimit: 128, attributeValueLengthLimit: 4000 }), false);
});
