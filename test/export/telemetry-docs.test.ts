import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { seriesTables } from "../../scripts/series-tables.ts";
import { telemetryTables } from "../../scripts/telemetry-tables.ts";
import type { Ends, EnrichedEvent } from "../../src/event/end-name.ts";
import { CAUSES, type SocketFields, type SocketKey } from "../../src/event/tcp-event.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { ATTRIBUTE_DOCS, CARRIERS, type Carrier } from "../../src/export/attribute-docs.ts";
import { ATTRIBUTES, TYPE_KEYS } from "../../src/export/attributes.ts";
import { formatCounters } from "../../src/export/counters-table.ts";
import { Episodes } from "../../src/export/episodes.ts";
import { eventAttributes } from "../../src/export/event-attributes.ts";
import { formatSummaryJson } from "../../src/export/format-summary.ts";
import { logRecordMaker } from "../../src/export/log-record.ts";
import { METRIC_DETAILS } from "../../src/export/metric-attributes.ts";
import { PLACE, RETRANSMIT_METRICS } from "../../src/export/metrics.ts";
import { prometheusName } from "../../src/export/prometheus-name.ts";
import { RecordSummaries } from "../../src/export/record-summary.ts";
import { summaryEntry } from "../../src/export/record-summary-entry.ts";
import { RetransmitMetrics } from "../../src/export/retransmit-metrics.ts";
import { SELF_METRICS } from "../../src/export/self-metric-definitions.ts";
import { Summary } from "../../src/export/summary.ts";
import { anEvent, EVERY_FIELD } from "./an-event.ts";
import { keptSpans } from "./kept-spans.ts";
import { anEnd, CART, CART_END, NIGHTLY, NODE_A, NODE_B, PRICES, someEnds } from "./some-ends.ts";

const DOCS = join(import.meta.dirname, "../../docs");
const unixNanos = () => 1_800_000_000_000_000_000n;

/** Between them they have every attribute of an end. */
const ENDS: readonly Ends[] = [
  {
    ownership: "undetermined",
    local: { ...CART_END, pod: { ...CART, workload: NIGHTLY.workload } },
    peer: anEnd({
      ...{ kind: "pod", name: "shop/nightly", pod: NIGHTLY, service: PRICES, container: "app" },
      ...{ node: { ...NODE_B, zone: "eu-1b" }, hint: { kind: "pod_not_ready", ageSeconds: 3 } },
    }),
  },
  someEnds(anEnd({ candidates: [PRICES] })),
];

/** Events that tell everything, of two connections, the second of which recovers. */
const EVENTS: readonly EnrichedEvent[] = ENDS.flatMap((ends, i) => {
  const retransmit = (seconds: number, socket: Partial<SocketFields> = {}) => ({
    ends,
    event: anEvent({
      ...{ rung: "kprobe", segments: 1, stack: [1n], time: traceNanos(seconds * 1e9) },
      socket: { ...EVERY_FIELD, key: (64 + i) as SocketKey, localPort: 1000 + i, retransOut: 0, ...socket },
    }),
  });
  const failed = retransmit(1);
  return [
    retransmit(0),
    { ends, event: { ...failed.event, outcome: "failed", error: -113, segments: 0 } },
    retransmit(3, { seq: 2448, endSeq: 4000 }),
  ];
});

const emitted: Readonly<Record<Exclude<Carrier, "metric" | "self-metric">, () => ReadonlySet<string>>> = {
  record: () => {
    const make = logRecordMaker({ unixNanos, stackNames: (stack) => stack.map(String) });
    return keysOf(EVENTS.map((enriched) => make(enriched, undefined).attributes));
  },
  summary: () => {
    const all = [10, 1].flatMap((maxConnections) => {
      const summaries = new RecordSummaries({ maxConnections });
      for (const enriched of EVENTS) summaries.add(enriched, undefined);
      return summaries.take();
    });
    return keysOf(all.map((summary) => summaryEntry(summary, unixNanos).attributes));
  },
  span: () => keysOf(spansOf(EVENTS).map(({ attributes }) => attributes)),
  "span event": () =>
    keysOf(spansOf(EVENTS).flatMap(({ events }) => events.map(({ attributes }) => attributes))),
  line: () => {
    const summary = new Summary();
    for (const { event, ends } of EVENTS) summary.add(event, unixNanos(), ends);
    for (let i = 0; i < 2; i++) {
      const ends = someEnds(anEnd({ kind: "node", name: `node-${i}` }));
      summary.add(anEvent({ socket: { peerPort: i } }), unixNanos(), ends);
    }
    const lines = formatSummaryJson(summary.view({ rows: 1 }), 0n);
    const counters = formatCounters([{ netns: 1, of: () => 1 }], { json: true, unixMs: 0 });
    const objects = `${lines}${counters}`
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    return keysOf([...objects, ...EVENTS.map(({ event, ends }) => eventAttributes(event, 0n, { ends }))]);
  },
};

function spansOf(events: readonly EnrichedEvent[]) {
  const { spans, startSpan } = keptSpans();
  const options = { startSpan, maxEventsPerSpan: 32, unixNanos };
  const episodes = new Episodes({ stall: () => {}, quietSeconds: 30, spans: options });
  for (const enriched of events) episodes.see(enriched);
  episodes.end();
  return spans;
}

function keysOf(all: readonly object[]): ReadonlySet<string> {
  const types = new Set<string>(Object.values(TYPE_KEYS));
  return new Set(
    all.flatMap((each) => Object.keys(each).map((key) => (types.has(key) ? ATTRIBUTES.summaryByType : key))),
  );
}

/** Attributes that the documentation says are on this. */
function documented(carrier: Carrier): readonly string[] {
  return Object.entries(ATTRIBUTES)
    .filter(([key]) => ATTRIBUTE_DOCS[key as keyof typeof ATTRIBUTES].on.includes(carrier))
    .map(([, name]) => name)
    .sort();
}

for (const carrier of ["record", "summary", "span", "span event"] as const) {
  test(`ATTRIBUTE_DOCS says of exactly the attributes of a ${carrier} that they are on one`, () => {
    assert.deepEqual(documented(carrier), [...emitted[carrier]()].sort());
  });
}

test("ATTRIBUTE_DOCS has every key of a line, and lines have every key that is said to be on one", () => {
  const keys = emitted.line();
  const known = new Set<string>(Object.values(ATTRIBUTES));
  assert.deepEqual(
    [...keys].filter((key) => !known.has(key)),
    [],
  );
  assert.deepEqual(
    documented("line").filter((key) => !keys.has(key)),
    [],
  );
});

test("ATTRIBUTE_DOCS says of exactly the attributes of metrics that they are on one", () => {
  const of = (metrics: Readonly<Record<string, { readonly attributes: readonly string[] }>>) =>
    [...new Set([...PLACE, ...Object.values(metrics).flatMap(({ attributes }) => attributes)])].sort();
  assert.deepEqual(documented("metric"), of(RETRANSMIT_METRICS));
  assert.deepEqual(documented("self-metric"), of(SELF_METRICS));
});

test("ATTRIBUTE_DOCS has no attribute that nothing carries, and an example of its type", () => {
  for (const [key, { on, type, example }] of Object.entries(ATTRIBUTE_DOCS)) {
    assert.ok(on.length > 0 && on.every((carrier) => CARRIERS.includes(carrier)), key);
    if (type === "int") assert.ok(Number.isSafeInteger(Number(example)), key);
    if (type === "double") assert.ok(Number.isFinite(Number(example)), key);
    if (type === "boolean") assert.match(example, /^(true|false)$/, key);
    if (type === "string[]") assert.ok(Array.isArray(JSON.parse(example)), key);
    if (type === "map") assert.equal(typeof JSON.parse(example), "object", key);
  }
});

test("RETRANSMIT_METRICS says of exactly the attributes of each metric's points that they are on one", () => {
  const seen = new Map<string, Set<string>>();
  for (const detail of METRIC_DETAILS) {
    for (const options of [{}, { maxPerMetric: 1 }]) {
      const metrics = new RetransmitMetrics({
        detail,
        place: { node: "node-a", cluster: "test" },
        now: () => 0,
        ...options,
      });
      metrics.podSeen(CART);
      metrics.podSeen(NIGHTLY);
      for (const { uid } of [CART, NIGHTLY]) {
        metrics.podCounters(uid, { netns: 1, sent: 1n, retransmitted: 1n, isWhole: true });
      }
      for (const ends of [
        ...ENDS,
        someEnds(),
        { ...someEnds(), local: anEnd({ node: { ...NODE_A, zone: "eu-1c" } }) },
      ]) {
        metrics.measureStall(ends, 1);
        for (const cause of CAUSES) {
          const event = anEvent({ cause, socket: { rto: 1 } });
          metrics.consume([
            { event, ends },
            { event: { ...event, outcome: "failed" }, ends },
            { event: { ...event, kind: "loss_probe" }, ends },
            { event: { ...event, kind: "loss_probe", outcome: "unknown" }, ends },
          ]);
        }
      }
      for (const { name, points } of metrics.collect(0, "test")) {
        const keys = seen.get(name) ?? new Set();
        seen.set(name, keys);
        for (const { attributes } of points) for (const key of Object.keys(attributes)) keys.add(key);
      }
    }
  }
  for (const { name, attributes } of Object.values(RETRANSMIT_METRICS)) {
    assert.deepEqual(
      [...(seen.get(name) ?? [])].sort(),
      [...new Set([...PLACE, ...attributes])].sort(),
      name,
    );
  }
});

test("RETRANSMIT_METRICS and SELF_METRICS have names that are one each, in Prometheus too", () => {
  const all = [...Object.values(RETRANSMIT_METRICS), ...Object.values(SELF_METRICS)];
  assert.equal(new Set(all.map(({ name }) => name)).size, all.length);
  assert.equal(new Set(all.map((metric) => prometheusName(metric).sample)).size, all.length);
  for (const { name, unit } of all) assert.match(unit, /^(\{[a-z]+\}|s|By)$/, name);
});

for (const [mark, text] of Object.entries(telemetryTables())) {
  test(`docs/telemetry.md has what \`${mark}\` writes`, () => {
    assert.equal(partOf("telemetry.md", mark), text);
  });
}

test("docs/scaling.md has the series that `npm run generate:telemetry` counts", async () => {
  assert.equal(partOf("scaling.md", "npm run generate:telemetry: series"), await seriesTables());
});

test("docs/json.md names no attribute that is not exported", () => {
  const names = new Set<string>(Object.values(ATTRIBUTES));
  const written = readFileSync(join(DOCS, "json.md"), "utf8").matchAll(
    /`((?:tcp|source|destination|network|linux|tcpretrans|process|probe|error|event)\.[a-zA-Z_0-9.]+)`/g,
  );
  const events = new Set([
    "tcp.retransmit",
    "tcp.loss_probe",
    "tcp.retransmit.summary",
    "tcp.retransmit.counters",
  ]);
  const unknown = [...written]
    .map((match) => match[1] ?? "")
    .filter((name) => !names.has(name) && !events.has(name));
  assert.deepEqual(unknown, []);
});

function partOf(file: string, mark: string): string | undefined {
  const document = readFileSync(join(DOCS, file), "utf8");
  return document.split(`<!-- ${mark}: begin -->\n`)[1]?.split("\n<!-- end -->")[0];
}
