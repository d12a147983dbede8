import assert from "node:assert/strict";
import { test } from "node:test";
import { Handover, type HandoverLimits, type OlderAgent } from "../../src/agent/handover.ts";
import type { TcpEvent } from "../../src/event/tcp-event.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { anEvent } from "../export/an-event.ts";

const MS = 1e6;
/** The capture of this test begins 0.3 s into a second of CLOCK_MONOTONIC. */
const EPOCH = 5_000_300_000_000n;
const RECORDS: OlderAgent = { name: "older", isRecording: true };
const STOPPED: OlderAgent = { name: "older", isRecording: false };

/** A handover with a clock that is set, and older agents that are what is said. */
function aHandover(older: readonly OlderAgent[], limits: Partial<HandoverLimits> = {}) {
  const world = { older, nowMs: 0 };
  const handover = new Handover({
    older: () => world.older,
    now: () => traceNanos(world.nowMs * MS),
    epochNanos: EPOCH,
    limits,
  });
  /** A tick at a time, with what was recorded since. */
  const tick = (nowMs: number, timesMs: readonly number[], now = world.older): readonly number[] => {
    Object.assign(world, { nowMs, older: now });
    return times(handover.admit(timesMs.map(at)));
  };
  return { handover, tick };
}

function at(ms: number): TcpEvent {
  return { ...anEvent(), time: traceNanos(ms * MS) };
}

function times(events: readonly TcpEvent[]): readonly number[] {
  return events.map(({ time }) => time / MS);
}

async function hasBegun({ begun }: Handover): Promise<boolean> {
  return await Promise.race([begun.then(() => true), new Promise<false>((no) => setImmediate(no, false))]);
}

test("Handover.admit() without an older agent gives every event as it is", async () => {
  const { handover, tick } = aHandover([]);
  assert.deepEqual(handover.state, { kind: "counting" });
  assert.ok(await hasBegun(handover));
  const events = [at(1), at(2)];
  assert.equal(handover.admit(events), events);
  assert.deepEqual(tick(200, [150]), [150]);
  assert.equal(handover.left, 0);
});

test("Handover.admit() begins with the whole second before the older agent was found stopped", async () => {
  // Seconds of the clock are at 700 ms, 1700 ms … of the capture.
  const { handover, tick } = aHandover([RECORDS]);
  assert.deepEqual(handover.state, { kind: "waiting", older: ["older"] });
  assert.deepEqual(tick(600, [100, 550]), []);
  assert.deepEqual(tick(1650, [690, 710, 1600]), []);
  assert.ok(!(await hasBegun(handover)));
  assert.deepEqual(tick(1750, [1699, 1700, 1702, 1740], []), [1700, 1702, 1740]);
  assert.deepEqual(handover.state, { kind: "counting" });
  assert.ok(await hasBegun(handover));
  assert.equal(handover.left, 6);
});

test("Handover.admit() leaves out an attempt of before that becomes an event later", () => {
  const { tick } = aHandover([RECORDS]);
  tick(1650, []);
  assert.deepEqual(tick(1750, [], []), []);
  assert.deepEqual(tick(1850, [1699, 1700]), [1700]);
});

test("Handover: two agents that part tell each event once, whenever the newer one looks", () => {
  for (let lookMs = 1; lookMs <= 200; lookMs++) {
    const older = aHandover([]);
    const newer = aHandover([RECORDS]);
    const all = Array.from({ length: 40 }, (_, i) => i * 97);
    const askedMs = 1200;
    const told: number[] = [];
    const yielded = { untilMs: Number.POSITIVE_INFINITY };
    let seen = 0;
    const every = 100;
    for (let nowMs = lookMs; nowMs < 4000; nowMs += every) {
      if (nowMs >= askedMs && yielded.untilMs === Number.POSITIVE_INFINITY) {
        older.tick(nowMs, []);
        yielded.untilMs = older.handover.yield() / MS;
      }
      const come = all.filter((time) => time < nowMs).slice(seen);
      seen += come.length;
      const isOver = nowMs > yielded.untilMs + 2;
      told.push(...older.tick(nowMs, isOver ? [] : come));
      // What the older one has not taken when it stops is in its buffers: it takes that too.
      if (isOver)
        told.push(
          ...older.tick(
            nowMs,
            come.filter((time) => time <= yielded.untilMs + 2),
          ),
        );
      told.push(...newer.tick(nowMs, come, isOver ? [] : [RECORDS]));
    }
    assert.deepEqual(
      told.toSorted((a, b) => a - b),
      all.slice(0, seen),
      `first look at ${lookMs} ms`,
    );
  }
});

for (const lateMs of [0, 300, 700, 1100, 2600]) {
  test(`Handover: an older agent that gets to stop only ${lateMs} ms late tells what came until the second in which it does`, () => {
    for (let lookMs = 1; lookMs <= 100; lookMs += 7) {
      const [older, newer] = [aHandover([]), aHandover([RECORDS])];
      const all = Array.from({ length: 70 }, (_, i) => i * 97 + 3);
      const told: number[] = [];
      let seen = 0;
      let stopMs = Number.POSITIVE_INFINITY;
      for (let nowMs = lookMs; nowMs < 6500; nowMs += 100) {
        const come = all.filter((time) => time < nowMs).slice(seen);
        seen += come.length;
        const isOver = nowMs > stopMs;
        // It stops between two ticks; then it takes what its buffers still hold.
        if (isOver && nowMs - 100 <= stopMs) {
          older.tick(stopMs, []);
          older.handover.parted();
          told.push(
            ...older.tick(
              nowMs,
              come.filter((time) => time <= stopMs),
            ),
          );
        } else if (!isOver) told.push(...older.tick(nowMs, come));
        if (nowMs > 1200 && stopMs === Number.POSITIVE_INFINITY) {
          stopMs = older.handover.yield() / MS + 2 + lateMs;
        }
        told.push(...newer.tick(nowMs, come, isOver ? [] : [RECORDS]));
      }
      assert.deepEqual(
        told.toSorted((a, b) => a - b),
        all.slice(0, seen),
        `first look at ${lookMs} ms`,
      );
      assert.equal(newer.handover.unsureSeconds, 0);
    }
  });
}

test("Handover.unsureSeconds tells how many seconds may be in neither when the newer agent looked late", () => {
  const { handover, tick } = aHandover([RECORDS]);
  tick(1650, [1600]);
  // The older one has stopped behind one of the seconds at 1700, 2700 and 3700 ms.
  assert.deepEqual(tick(3800, [1690, 1750, 2750, 3750], []), [3750]);
  assert.equal(handover.unsureSeconds, 3);
});

test("Handover.admit() goes on waiting when the older one was only disturbed, and not for ever when it hangs stopped", () => {
  const { handover, tick } = aHandover([RECORDS]);
  tick(800, [750]);
  assert.deepEqual(tick(900, [850], [STOPPED]), []);
  assert.deepEqual(tick(1800, [1750], [STOPPED]), []);
  assert.deepEqual(tick(1900, [1850], [RECORDS]), []);
  assert.deepEqual(tick(2800, [2750], [STOPPED]), []);
  assert.deepEqual(tick(7700, [7000], [STOPPED]), []);
  assert.deepEqual(tick(7800, [7750], [STOPPED]), [2750, 7000, 7750]);
  assert.deepEqual(handover.state, { kind: "counting" });
});

test("Handover.admit() counts beside an older agent that stays, and look() tells when that has gone", async () => {
  const { handover, tick } = aHandover([RECORDS]);
  assert.deepEqual(tick(599_999, [599_950]), []);
  assert.deepEqual(tick(600_001, [600_000]), []);
  assert.deepEqual(handover.state, { kind: "beside", older: ["older"] });
  assert.ok(await hasBegun(handover));
  assert.deepEqual(tick(600_100, [600_050]), [600_050]);
  assert.equal(handover.look(), false);
  tick(600_200, [], []);
  assert.equal(handover.look(), true);
  assert.deepEqual(handover.state, { kind: "counting" });
  assert.equal(handover.look(), false);
});

test("Handover.admit() holds no more than it may, and counts the oldest that it lets go", () => {
  const { handover, tick } = aHandover([RECORDS], { maxHeld: 3 });
  tick(800, [750, 760, 770, 780, 790]);
  assert.equal(handover.left, 2);
  assert.deepEqual(tick(900, [850], []), [770, 780, 790, 850]);
});
