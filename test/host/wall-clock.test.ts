import assert from "node:assert/strict";
import { test } from "node:test";
import { WallClock } from "../../src/host/wall-clock.ts";

/** Two clocks whose true offset is known; the wall clock shows whole milliseconds only. */
class World {
  mono = 5_000_000_000n;
  offset = 1_700_000_000_123_456_789n;
  /** Time that passes at each look. */
  lookNanos = 1_000n;

  readonly clocks = {
    mono: (): bigint => {
      this.mono += this.lookNanos;
      return this.mono;
    },
    unixMs: (): number => {
      this.mono += this.lookNanos;
      return Number((this.mono + this.offset) / 1_000_000n);
    },
  };
}

test("WallClock.unixNanos() throws before the first sample", () => {
  assert.throws(() => new WallClock().unixNanos(0n), RangeError);
});

test("WallClock.unixNanos() is less than 1 ms behind after one sample and converges from below", () => {
  const world = new World();
  const clock = new WallClock(world.clocks);
  let last = 2_000_000n;
  for (let i = 0; i < 60; i++) {
    clock.sample();
    const behind = world.mono + world.offset - clock.unixNanos(world.mono);
    assert.ok(behind >= 0n && behind <= 1_001_000n, `${behind}`);
    assert.ok(behind <= last, "never farther than before");
    last = behind;
    world.mono += 100_370_000n;
  }
  assert.ok(last < 50_000n, `${last} ns behind after 60 samples`);
  assert.equal(clock.steps, 0);
});

for (const step of [-7_200_000_000_000n, -5_000_000n, 5_000_000n, 3_600_000_000_000n]) {
  test(`WallClock.sample() follows a step of ${step} ns at once`, () => {
    const world = new World();
    const clock = new WallClock(world.clocks);
    for (let i = 0; i < 10; i++) {
      clock.sample();
      world.mono += 13_370_000n;
    }
    world.offset += step;
    clock.sample();
    assert.equal(clock.steps, 1);
    const behind = world.mono + world.offset - clock.unixNanos(world.mono);
    assert.ok(behind >= 0n && behind <= 1_001_000n, `${behind}`);
  });
}

test("WallClock.sample() takes a look that was held up for a step of nothing", () => {
  const world = new World();
  const clock = new WallClock(world.clocks);
  clock.sample();
  world.lookNanos = 40_000_000n;
  clock.sample();
  assert.equal(clock.steps, 0);
});

test("WallClock.unixNanos() does not go back when the look that told most is too old to count", () => {
  const world = new World();
  const clock = new WallClock(world.clocks);
  const lookAt = (nanosIntoMs: bigint) => {
    world.mono += 2_000_000n - ((world.mono + world.offset) % 1_000_000n) + nanosIntoMs;
    clock.sample();
    return clock.unixNanos(0n);
  };
  const best = lookAt(10n);
  for (let i = 0; i < 200; i++) assert.ok(lookAt(900_000n) >= best, `after ${i} looks`);
  assert.equal(clock.steps, 0);
});

test("WallClock.add() gives the same time from recorded samples as live", () => {
  const world = new World();
  const live = new WallClock(world.clocks);
  const replayed = new WallClock();
  for (let i = 0; i < 100; i++) {
    replayed.add(live.sample());
    world.mono += 77_770_000n;
    assert.equal(replayed.unixNanos(world.mono), live.unixNanos(world.mono));
  }
});

test("WallClock.sample() on this machine's clocks agrees with Date.now()", () => {
  const clock = new WallClock();
  for (let i = 0; i < 20; i++) clock.sample();
  const unixMs = Number(clock.unixNanos(process.hrtime.bigint()) / 1_000_000n);
  assert.ok(Math.abs(unixMs - Date.now()) <= 50);
});
