import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { judgeLocal, judgePeer } from "./judge-names.ts";
import { type Course, courses, play } from "./name-world.ts";

/** In per cent of the events of each kind of sight: least right local ends and right peers, most that are excused. */
const BOUNDS: Record<Course["sees"], { local: number; peer: number; excused: number }> = {
  cgroup: { local: 93, peer: 60, excused: 2 },
  namespace: { local: 93, peer: 60, excused: 2 },
  address: { local: 75, peer: 58, excused: 7 },
  api: { local: 60, peer: 58, excused: 7 },
};
const TRUE = new Set(["right", "service", "node", "unknown"]);

test("Enricher gives no wrong name over random lives of pods and connections but those that the document excuses", () => {
  const counts = new Map<string, number>();
  const count = (what: string) => void counts.set(what, (counts.get(what) ?? 0) + 1);
  const property = fc.property(courses, (course) => {
    for (const shown of play(course)) {
      for (const verdict of [`local ${judgeLocal(shown)}`, `peer ${judgePeer(shown)}`]) {
        count(`${course.sees} ${verdict}`);
        if (!TRUE.has(verdict.replace(/^\w+ /, ""))) count(`${course.sees} excused`);
      }
      count(course.sees);
    }
  });
  const { FUZZ_RUNS = "3000", FUZZ_SEED = "1" } = process.env;
  fc.assert(property, { numRuns: Number(FUZZ_RUNS), seed: Number(FUZZ_SEED) });
  for (const [sees, { local, peer, excused }] of Object.entries(BOUNDS)) {
    const share = (what: string) => ((counts.get(`${sees} ${what}`) ?? 0) / (counts.get(sees) ?? 0)) * 100;
    const all = JSON.stringify(Object.fromEntries(counts));
    assert.ok(share("local right") > local && share("peer right") > peer && share("excused") < excused, all);
  }
});
