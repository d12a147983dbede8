import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ends } from "../../src/event/end-name.ts";
import type { SocketKey } from "../../src/event/tcp-event.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { Episodes } from "../../src/export/episodes.ts";
import { EventLog } from "../../src/export/event-log.ts";
import { eventSignals } from "../../src/export/event-signals.ts";
import type { LogEntry } from "../../src/export/log-entry.ts";
import { resourcePod } from "../../src/export/resource-pod.ts";
import { anEvent } from "./an-event.ts";
import { keptSpans } from "./kept-spans.ts";
import { anEnd, CART, PRICES_END, someEnds } from "./some-ends.ts";

const UNDETERMINED = someEnds(PRICES_END, { ownership: "undetermined" });

/** Whose resource the record, the summary and the span of events between these ends are on. */
function podsOf(ends: Ends) {
  const unixNanos = (time: number) => BigInt(Math.round(time));
  const entries: LogEntry[] = [];
  const { spans, startSpan } = keptSpans();
  const log = new EventLog({
    emit: (entry) => entries.push(entry),
    ...{ unixNanos, recordsPerSecond: 1, summarySeconds: 10 },
  });
  const episodes = new Episodes({
    stall: () => {},
    quietSeconds: 30,
    spans: { startSpan, maxEventsPerSpan: 32, unixNanos },
  });
  const sink = eventSignals({ log, episodes });
  const events = [1, 2].map((ms) =>
    anEvent({ time: traceNanos(ms * 1e6), socket: { key: 64 as SocketKey, localPort: 1 } }),
  );
  const named = events.map((event) => ({ event, ends }));
  sink.consume(named, traceNanos(2e6));
  sink.end();
  return [...entries, ...spans].map(({ pod }) => pod);
}

test("resourcePod() is the local pod of records, summaries and spans that are this node's", () => {
  assert.deepEqual(podsOf(someEnds()), [CART, CART, CART]);
});

test("resourcePod() is no pod where the event may be another node's, though it has a name, and where the end is none", () => {
  assert.deepEqual(podsOf(UNDETERMINED), [undefined, undefined, undefined]);
  assert.deepEqual(podsOf(someEnds(PRICES_END, { local: anEnd({ kind: "node" }) })), [
    undefined,
    undefined,
    undefined,
  ]);
  assert.equal(resourcePod(undefined), undefined);
});
