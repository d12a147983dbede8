import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { beginEpisode, beginsEpisode, type Episode, endedBy, takeEvent } from "../../src/export/episode.ts";
import { sequenceAfter } from "../../src/export/episode-evidence.ts";
import { beginStandstill, goOn, judge, stallOf } from "../../src/export/episode-stall.ts";
import { anEvent } from "./an-event.ts";
import { STEPS, tell } from "./sender-model.ts";

/** Courses of a connection: what it sent again, and what was true then; sequence numbers wrap in some. */
const courses = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom(...STEPS), fc.nat(4000)), { minLength: 10, maxLength: 120 }),
    fc.oneof(fc.constant(1), fc.integer({ min: 2 ** 32 - 9000, max: 2 ** 32 - 1 })),
  )
  .map(([steps, firstSeq]) => tell(steps, firstSeq));

test("judge() calls nothing acknowledged that is not, and nothing unacknowledged that is, on any course of a connection", () => {
  const judged = { acknowledged: 0, unacknowledged: 0, "not told": 0 };
  fc.assert(
    fc.property(courses, fc.nat(), (told, random) => {
      const from = told.slice(random % Math.max(1, told.length));
      const standstill = from[0] && beginStandstill(from[0].event);
      if (standstill === undefined) return;
      const seq = standstill.seq!;
      for (const { event, isDelivered, una } of from.slice(1)) {
        const judgement = judge(standstill, event);
        judged[judgement]++;
        if (judgement === "unacknowledged") {
          assert.ok(!sequenceAfter(una, seq));
          goOn(standstill, event);
        }
        if (judgement === "acknowledged") {
          assert.ok(isDelivered(seq));
          return;
        }
      }
    }),
    { numRuns: 4000 },
  );
  for (const [name, count] of Object.entries(judged)) assert.ok(count > 50, `${name} ${count}`);
});

test("beginStandstill() never claims a longer wait than there was between timeouts that were not seen", () => {
  let claimed = 0;
  fc.assert(
    fc.property(courses, (told) => {
      const timeouts = told.map(({ event }) => event).filter(({ cause }) => cause === "timeout");
      for (const [i, event] of timeouts.entries()) {
        const first = timeouts[i + 1 - event.socket.retransmits!]!;
        const { waitedBefore } = beginStandstill(event)!;
        const truly = (event.time - first.time) / 1e9;
        assert.ok(waitedBefore <= truly + 1e-9, `${waitedBefore} > ${truly}`);
        if (waitedBefore > 0) claimed++;
      }
    }),
    { numRuns: 1000 },
  );
  assert.ok(claimed > 10, `${claimed}`);
});

test("endedBy() says recovered only when all that the episode sent again is at the peer, on any course of a connection", () => {
  let recovered = 0;
  fc.assert(
    fc.property(courses, (told) => {
      let episode: Episode | undefined;
      let sent: number[] = [];
      for (const { event, isDelivered } of told) {
        if (episode !== undefined && endedBy(episode, event) === "recovered") {
          recovered++;
          assert.deepEqual(
            sent.filter((seq) => !isDelivered(seq)),
            [],
          );
          episode = undefined;
        }
        if (episode === undefined) {
          assert.ok(beginsEpisode(event));
          episode = beginEpisode(event, undefined);
          sent = [];
        } else takeEvent(episode, event, undefined);
        sent.push(event.socket.seq!);
      }
    }),
    { numRuns: 4000 },
  );
  assert.ok(recovered > 50, `${recovered}`);
});

test("beginStandstill() counts the waits between the timeouts before, where a trace begins in the middle", () => {
  // Of a recorded course: timeouts after 0.204 s, then 0.408, 0.816, 1.632 and 3.264 s more.
  const event = anEvent({
    cause: "timeout",
    socket: { seq: 1, retransmits: 5, backoff: 4, rto: 3.264 },
  });
  assert.equal(beginStandstill(event)?.waitedBefore, 3.264 + 1.632 + 0.816 + 0.408);
});

test("stallOf() has no upper bound where nothing shows the end, nor where the beginning was not seen", () => {
  const at = (seconds: number, change = {}) =>
    anEvent({
      cause: "timeout",
      time: traceNanos(seconds * 1e9),
      socket: { seq: 1, retransmits: 1, backoff: 0, rto: 0.2, ...change },
    });
  const standstill = beginStandstill(at(1))!;
  goOn(standstill, at(1.5, { retransmits: 2, backoff: 1, rto: 0.4 }));
  assert.deepEqual(stallOf(standstill, undefined), { min: 0.5, max: undefined });
  assert.deepEqual(stallOf(standstill, traceNanos(2e9)), { min: 0.5, max: 1 });
  const late = beginStandstill(at(1.5, { retransmits: 2, backoff: 1, rto: 0.4 }))!;
  assert.deepEqual(stallOf(late, traceNanos(2e9)), { min: 0.4, max: undefined });
});

test("beginStandstill() gives nothing where the event does not tell what it sent, but of a handshake", () => {
  assert.equal(beginStandstill(anEvent({ cause: "fast" })), undefined);
  assert.ok(beginStandstill(anEvent({ cause: "syn", socket: { state: 2 } }))?.isHandshake);
});
