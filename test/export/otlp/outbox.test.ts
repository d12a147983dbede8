import assert from "node:assert/strict";
import { test } from "node:test";
import { Outbox } from "../../../src/export/otlp/outbox.ts";
import type { Send, SendResult } from "../../../src/export/otlp/send-result.ts";
import { keptLog, virtualClock } from "./settings.ts";

const TAKEN: SendResult = { kind: "accepted", rejected: 0, message: undefined };
const AGAIN = {
  kind: "retry",
  code: "UNAVAILABLE",
  afterMs: undefined,
  sentence: "Cannot export: try again",
} as const satisfies SendResult;

function outbox(bounds: { maxBytes?: number; maxRecords?: number } = {}, random = 0.5) {
  const clock = virtualClock(random);
  const log = keptLog();
  const box = new Outbox({ maxBytes: 1e6, maxRecords: 1e6, ...bounds, clock, log });
  return { box, clock, log };
}

/** Answers with these one after the other, then takes everything; keeps the first byte of each request. */
function server(...answers: SendResult[]): { send: Send; requests: number[] } {
  const requests: number[] = [];
  return {
    requests,
    send: async ([first = -1]) => {
      requests.push(first);
      return answers.shift() ?? TAKEN;
    },
  };
}

const bytes = (first: number, length = 100) => new Uint8Array(length).fill(first, 0, 1);

test("Outbox sends in order, and again until it is taken, with waits that grow", async () => {
  const { box, clock, log } = outbox();
  const { send, requests } = server(AGAIN, AGAIN, AGAIN, AGAIN, AGAIN, AGAIN, AGAIN);
  const lane = box.lane("logs to c", send);
  for (const first of [1, 2, 3]) lane.put(bytes(first), 10);
  await clock.run();
  assert.deepEqual(requests, [1, 1, 1, 1, 1, 1, 1, 1, 2, 3]);
  assert.deepEqual(clock.waits, [500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
  assert.deepEqual(lane.counts, {
    exported: 30,
    dropped: { queue_full: 0, rejected: 0, non_retryable: 0, shutdown: 0 },
    failures: new Map([["UNAVAILABLE", 7]]),
    problem: undefined,
    waitingRecords: 0,
    waitingBytes: 0,
  });
  assert.deepEqual(log.said, ["Cannot export: try again", "Exporting logs to c again"]);
});

test("Outbox waits no shorter than the server asks, and not for ever", async () => {
  const { box, clock } = outbox({}, 0);
  const { send } = server({ ...AGAIN, afterMs: 7000 }, { ...AGAIN, afterMs: 1e9 });
  box.lane("logs to c", send).put(bytes(1), 1);
  await clock.run();
  assert.deepEqual(clock.waits, [7000, 600_000]);
});

test("Outbox lets the oldest of all lanes go when its records are too many, but not what is on its way", async () => {
  const { box, clock, log } = outbox({ maxRecords: 50 });
  const logs = server(AGAIN);
  const spans = server(AGAIN);
  const logLane = box.lane("logs to c", logs.send);
  const spanLane = box.lane("traces to c", spans.send);
  logLane.put(bytes(1), 10);
  spanLane.put(bytes(2), 10);
  spanLane.put(bytes(3), 10);
  logLane.put(bytes(4), 10);
  logLane.put(bytes(5), 10);
  // 1 and 2 are being sent: 3 and 4 go for it.
  logLane.put(bytes(6), 15);
  await clock.run();
  assert.deepEqual(
    [logs.requests, spans.requests],
    [
      [1, 1, 5, 6],
      [2, 2],
    ],
  );
  assert.equal(logLane.counts.dropped.queue_full, 10);
  assert.equal(spanLane.counts.dropped.queue_full, 10);
  assert.deepEqual([logLane.counts.exported, spanLane.counts.exported], [35, 10]);
  for (const name of ["logs to c", "traces to c"]) {
    assert.ok(log.said.includes(`The queue of ${name} is full: the oldest are dropped, and counted`));
  }
});

test("Outbox keeps a lane within its own bound, and lets none of the others go for it", async () => {
  const { box, clock } = outbox();
  const logs = server(AGAIN);
  const spans = server(AGAIN);
  const logLane = box.lane("logs to c", logs.send, 25);
  const spanLane = box.lane("traces to c", spans.send);
  for (const first of [1, 2, 3]) {
    spanLane.put(bytes(first), 100);
    logLane.put(bytes(first), 10);
    assert.ok(logLane.counts.waitingRecords <= 25);
  }
  logLane.put(bytes(9), 30);
  await clock.run();
  assert.deepEqual(
    [logs.requests, spans.requests],
    [
      [1, 1, 3],
      [1, 1, 2, 3],
    ],
  );
  assert.equal(logLane.counts.dropped.queue_full, 40);
});

test("Outbox keeps within its bytes, and refuses what is longer than they are", async () => {
  const { box, clock } = outbox({ maxBytes: 3000 });
  const { send, requests } = server(AGAIN);
  const lane = box.lane("logs to c", send);
  for (const first of [1, 2, 3, 4]) {
    lane.put(bytes(first, 900), 1);
    assert.ok(lane.counts.waitingBytes <= 3000);
  }
  lane.put(bytes(9, 4000), 1);
  await clock.run();
  assert.deepEqual(requests, [1, 1, 4]);
  assert.deepEqual([lane.counts.exported, lane.counts.dropped.queue_full], [2, 3]);
  assert.equal(lane.counts.waitingBytes, 0);
});

test("Outbox counts what is refused once and for all, says it once, and goes on", async () => {
  const { box, clock, log } = outbox();
  const refused: SendResult = { kind: "refused", code: "401", sentence: "Cannot export: never" };
  const { send, requests } = server(refused, refused);
  const lane = box.lane("logs to c", send);
  for (const first of [1, 2, 3]) lane.put(bytes(first), 10);
  await clock.run();
  assert.deepEqual(requests, [1, 2, 3]);
  assert.deepEqual(lane.counts.dropped, { queue_full: 0, rejected: 0, non_retryable: 20, shutdown: 0 });
  assert.deepEqual(log.said, ["Cannot export: never", "Exporting logs to c again"]);
});

test("Outbox counts failures of each lane by code, and keeps what went wrong there until something is taken", async () => {
  const { box, clock } = outbox({}, 0);
  const refused: SendResult = { kind: "refused", code: "401", sentence: "Cannot export logs: never" };
  const logs = box.lane("logs to c", server(AGAIN, refused, refused).send);
  const spans = box.lane("traces to c", server().send);
  for (const lane of [logs, spans]) for (const first of [1, 2]) lane.put(bytes(first), 10);
  await clock.run();
  assert.deepEqual(
    [...logs.counts.failures],
    [
      ["UNAVAILABLE", 1],
      ["401", 2],
    ],
  );
  assert.equal(logs.counts.problem, "Cannot export logs: never");
  assert.deepEqual([[...spans.counts.failures], spans.counts.problem], [[], undefined]);
  logs.put(bytes(3), 10);
  await clock.run();
  assert.equal(logs.counts.problem, undefined);
});

test("Outbox counts what a server rejects of a request, and no more than was in it", async () => {
  const { box, clock, log } = outbox();
  const { send } = server(
    { kind: "accepted", rejected: 3, message: "c rejected a part" },
    { kind: "accepted", rejected: 99, message: undefined },
    { kind: "accepted", rejected: -5, message: undefined },
  );
  const lane = box.lane("logs to c", send);
  for (const first of [1, 2, 3]) lane.put(bytes(first), 10);
  await clock.run();
  assert.equal(lane.counts.dropped.rejected, 13);
  assert.equal(lane.counts.exported, 17);
  assert.deepEqual(log.said, ["c rejected a part"]);
});

test("Outbox.close() ends a wait, sends what it can, and counts the rest", async () => {
  const { box, clock } = outbox({}, 1);
  let isThere = false;
  const lane = box.lane("logs to c", async () => (isThere ? TAKEN : { ...AGAIN, afterMs: 60_000 }));
  lane.put(bytes(1), 10);
  await clock.run(0);
  isThere = true;
  const closed = box.close(5_000);
  await clock.run(0);
  await closed;
  assert.deepEqual([lane.counts.exported, lane.counts.dropped.shutdown], [10, 0]);
  assert.ok(clock.monotonicMs() < 5_000, "it did not wait for the minute that was asked for");
  lane.put(bytes(2), 7);
  assert.equal(lane.counts.dropped.shutdown, 7);
});

test("Outbox.close() gives up at its time, and stops what is on its way", async () => {
  const { box, clock } = outbox();
  let stopped = false;
  const lane = box.lane("logs to c", (_bytes, signal) => {
    return new Promise((resolve) => {
      signal.addEventListener("abort", () => {
        stopped = true;
        resolve(AGAIN);
      });
    });
  });
  for (const first of [1, 2]) lane.put(bytes(first), 10);
  const closed = box.close(5_000);
  await clock.run();
  await closed;
  assert.ok(stopped);
  assert.equal(lane.counts.dropped.shutdown, 20);
  assert.deepEqual([lane.counts.exported, lane.counts.waitingRecords, lane.counts.waitingBytes], [0, 0, 0]);
});
