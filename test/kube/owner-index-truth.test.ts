import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { OwnerIndex } from "../../src/kube/owner-index.ts";
import { DEFAULT_TOMBSTONES } from "../../src/kube/tombstones.ts";
import { ADDRESSES, happen, holderAt, isGoneBy, type Life, lifePlans, type Write } from "./address-world.ts";
import { anIndex, list, whoAt } from "./slim-objects.ts";

/** What is asked at a time: of moments so long before it. */
const OFFSETS_MS = [0, 40, 700, 2500, 9000, 45_000];

/** An agent that is asked something is running: so long before that it told the time. */
const TICKS_MS = [1200, 600, 0];

const runs = fc.record({
  plans: lifePlans,
  /** When the agent starts, and when its watches break and lists come in again. */
  listsMs: fc.array(fc.nat(300_000), { minLength: 1, maxLength: 4 }),
  delayMs: fc.integer({ min: 1, max: 150 }),
  questionsMs: fc.array(fc.nat(400_000), { minLength: 20, maxLength: 60 }),
});

test("OwnerIndex gives no wrong name over random lives, and the right one wherever it was told", () => {
  let [named, asked, namedAnswerers, answerers] = [0, 0, 0, 0];
  const property = fc.property(runs, ({ plans, listsMs, delayMs, questionsMs }) => {
    const lives = happen(plans);
    const answers = play(lives, { listsMs, delayMs, questionsMs });
    asked += answers.asked;
    named += answers.named;
    namedAnswerers += answers.namedAnswerers;
    answerers += answers.answerers;
  });
  fc.assert(property, { numRuns: Number(process.env["FUZZ_RUNS"] ?? 700) });
  assert.ok(named > asked / 4, `${named} of ${asked} questions got a name`);
  assert.ok(namedAnswerers > answerers / 2, `${namedAnswerers} of ${answerers} who answered got a name`);
});

test("OwnerIndex gives no wrong name either where tombstones have to make room", () => {
  let [named, dropped] = [0, 0];
  const property = fc.property(runs, fc.nat(4), ({ plans, ...course }, maxCount) => {
    const answers = play(happen(plans), { ...course, maxCount });
    named += answers.named;
    dropped += answers.dropped;
  });
  fc.assert(property, { numRuns: Number(process.env["FUZZ_RUNS"] ?? 700) });
  assert.ok(named > 0 && dropped > 0, `${named} named, ${dropped} dropped`);
});

interface Course {
  /** Of tombstones. */
  readonly maxCount?: number;
  readonly listsMs: readonly number[];
  readonly delayMs: number;
  readonly questionsMs: readonly number[];
}

/** Brings writes, lists and questions in the order of time; every answer is held against what truly happened. */
function play(lives: readonly Life[], { listsMs, delayMs, questionsMs, maxCount }: Course) {
  const tombstones = { ...DEFAULT_TOMBSTONES, ...(maxCount === undefined ? {} : { maxCount }) };
  const index = anIndex({ tombstones });
  const beganMs = 1e9 + 60_000;
  const lists = [...new Set(listsMs)].sort((a, b) => a - b).map((ms) => beganMs + ms);
  const firstMs = lists[0] ?? beganMs;
  const writes = lives.flatMap((life) => life.writes).sort((a, b) => a.atMs - b.atMs);
  const steps = [
    // What a list has told already the watch after it does not tell again.
    ...writes
      .filter(({ atMs }) => atMs > firstMs)
      .map((write) => ({
        atMs: write.atMs + delayMs,
        run: () => tell(index, write, write.atMs + delayMs),
      })),
    ...lists.map((atMs) => ({
      atMs: atMs + delayMs,
      run: () => relist(index, { writes, atMs, receivedMs: atMs + delayMs }),
    })),
    ...questionsMs.map((ms) => ({ atMs: beganMs + ms, run: () => ask(beganMs + ms) })),
  ].sort((a, b) => a.atMs - b.atMs);
  const answers = { asked: 0, named: 0, namedAnswerers: 0, answerers: 0, dropped: 0 };
  const ask = (nowMs: number) => {
    for (const beforeMs of TICKS_MS) index.expire(nowMs - beforeMs);
    for (const address of ADDRESSES) {
      for (const offsetMs of OFFSETS_MS) {
        const unixMs = nowMs - offsetMs;
        if (unixMs < firstMs + delayMs) continue;
        const answer = whoAt(index, address, unixMs).replace("† ", "");
        answers.asked++;
        if (/^p\d/.test(answer)) answers.named++;
        const forgets = index.counts().tombstonesDropped > 0;
        check(lives, { answer, address, unixMs, nowMs, delayMs, firstMs, forgets });
        const holder = holderAt(lives, address, unixMs);
        if (holder === undefined || isGoneBy(holder, firstMs)) continue;
        answers.answerers++;
        const answerer = index.podAnswering(address, unixMs);
        if (answerer?.kind === "held") {
          answers.namedAnswerers++;
          const { name } = answerer.pod;
          assert.equal(name, holder.name, `${address} answered at ${unixMs}, asked at ${nowMs}: ${name}`);
        }
      }
    }
  };
  // Before the first list there is no watch.
  for (const step of steps) if (step.atMs >= firstMs + delayMs) step.run();
  answers.dropped = index.counts().tombstonesDropped;
  return answers;
}

function tell(index: OwnerIndex, { slim, isDelete }: Write, receivedMs: number): void {
  if (isDelete) index.pods.remove(slim, receivedMs);
  else index.pods.upsert(slim, receivedMs);
}

function relist(
  index: OwnerIndex,
  { writes, atMs, receivedMs }: { writes: readonly Write[]; atMs: number; receivedMs: number },
): void {
  const states = new Map<string, Write>();
  for (const write of writes) if (write.atMs <= atMs) states.set(write.slim.uid, write);
  const living = [...states.values()].filter(({ isDelete }) => !isDelete).map(({ slim }) => slim);
  list(index.pods, living, receivedMs);
}

interface Answer {
  readonly answer: string;
  readonly address: string;
  readonly unixMs: number;
  readonly nowMs: number;
  readonly delayMs: number;
  readonly firstMs: number;
  /** Tombstones had to make room: any miss is excused. */
  readonly forgets: boolean;
}

/** Holds an answer against a list of all that truly happened. */
function check(
  lives: readonly Life[],
  { answer, address, unixMs, nowMs, delayMs, firstMs, forgets }: Answer,
): void {
  const here = lives.filter((life) => life.address === address);
  // What had gone before the agent began it cannot know.
  const known = here.filter((life) => !isGoneBy(life, firstMs));
  const truth = here.findLast(({ gainedMs }) => gainedMs <= unixMs);
  const where = `${address} at ${unixMs}, asked at ${nowMs}: ${answer}`;
  if (truth === undefined || !known.includes(truth)) {
    // Nobody has had it, or nobody that the agent can know.
    const next = known.filter(({ startedMs }) => startedMs - 2000 <= unixMs).map(({ name }) => name);
    assert.ok(["nobody", "ambiguous", ...next].includes(answer), where);
    return;
  }
  const isMiss = answer === "nobody" || answer === "ambiguous";
  assert.ok(isMiss || answer === truth.name, `${where}, not ${truth.name}`);
  if (!isMiss || forgets || unixMs < truth.toldMs + delayMs || unixMs >= truth.releasedMs) return;
  // It was told of before, and still there: only another pod that may have taken its address excuses a miss, its
  // successor from the second of its start on, less the slack.
  const isPassing = here.some((life) => life.gainedMs > truth.gainedMs && life.startedMs - 2000 <= unixMs);
  const isDoubted = nowMs >= truth.doubtedMs;
  const waiting = lives.some(
    (life) => life !== truth && life.createdMs <= unixMs + 2000 && life.toldMs + delayMs > nowMs,
  );
  // Of two that were told of with stretches that overlap, nobody can say which was first.
  const isUnsure = here.some((life) => life !== truth && life.overToldMs + 2000 > truth.startedMs - 2000);
  const isExcused = isPassing || (isDoubted && (waiting || isUnsure));
  assert.ok(answer === "ambiguous" && isExcused, `${where}, but it was ${truth.name}`);
}
