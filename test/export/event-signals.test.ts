import assert from "node:assert/strict";
import { test } from "node:test";
import type { SocketKey } from "../../src/event/tcp-event.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { Episodes } from "../../src/export/episodes.ts";
import { EventLog } from "../../src/export/event-log.ts";
import { eventSignals } from "../../src/export/event-signals.ts";
import type { LogEntry } from "../../src/export/log-entry.ts";
import { RECORDINGS, recordingPath } from "../support/kernels.ts";
import { replayFile } from "../support/replay.ts";
import { anEvent } from "./an-event.ts";
import { keptSpans } from "./kept-spans.ts";

const unixNanos = (time: number) => BigInt(Math.round(time));

function signals(recordsPerSecond: number) {
  const entries: LogEntry[] = [];
  const { spans, startSpan } = keptSpans();
  const log = new EventLog({
    emit: (entry) => entries.push(entry),
    unixNanos,
    recordsPerSecond,
    summarySeconds: 10,
  });
  const episodes = new Episodes({
    stall: () => {},
    quietSeconds: 30,
    spans: { startSpan, maxEventsPerSpan: 32, unixNanos },
  });
  return { entries, spans, log, episodes, sink: eventSignals({ log, episodes }) };
}

test("eventSignals() gives the records of an episode the ids of its span, from the first on", () => {
  const { sink, entries } = signals(100);
  const of = (key: number, seconds: number, change = {}) => ({
    event: anEvent({
      time: traceNanos(seconds * 1e9),
      ...change,
      socket: { key: key as SocketKey, localPort: key },
    }),
    ends: undefined,
  });
  const probe = { kind: "loss_probe", cause: "tail_loss_probe", outcome: "nothing" };
  sink.consume([of(64, 1, probe), of(128, 1), of(192, 1), of(128, 2)], traceNanos(2e9));
  sink.end();
  const [none, first, other, again] = entries.map(({ context }) => context);
  assert.equal(none, undefined);
  assert.ok(first && other);
  assert.deepEqual(again, first);
  assert.notDeepEqual(other, first);
});

test("eventSignals() counts each event of every recording in one record or summary, and in its episode's span", () => {
  for (const name of RECORDINGS) {
    const { events } = replayFile(recordingPath(name));
    const { sink, entries, spans, log, episodes } = signals(3);
    for (const event of events) sink.consume([{ event, ends: undefined }], event.time);
    sink.end();
    const { records, summaries, summarised } = log.counts;
    assert.equal(records + summarised, events.length);
    assert.equal(records + summaries, entries.length);
    const { recovered, abandoned, quiet, cut_short } = episodes.ended;
    assert.equal(recovered + abandoned + quiet + cut_short, spans.length);
    for (const { eventName, context } of entries)
      assert.ok(context !== undefined || eventName !== "tcp.retransmit", name);
  }
});

test("eventSignals() does without either", () => {
  const { log, episodes } = signals(10);
  const batch = [{ event: anEvent(), ends: undefined }];
  for (const options of [
    { log, episodes: undefined },
    { log: undefined, episodes },
  ]) {
    const sink = eventSignals(options);
    sink.consume(batch, traceNanos(0));
    sink.end();
  }
  assert.equal(log.counts.records, 1);
  assert.equal(episodes.ended.cut_short, 1);
});
