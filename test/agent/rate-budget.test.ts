import assert from "node:assert/strict";
import { test } from "node:test";
import { RateBudget } from "../../src/agent/rate-budget.ts";

test("RateBudget.take() allows a burst, then so many a second, and never saves up more than a burst", () => {
  const budget = new RateBudget({ burst: 3, perSecond: 2 });
  const taken = (nowMs: number) => {
    let count = 0;
    while (budget.take(nowMs)) count++;
    return count;
  };
  assert.equal(taken(1000), 3);
  assert.equal(taken(1000), 0);
  assert.equal(taken(1499), 0);
  assert.equal(taken(1500), 1);
  assert.equal(taken(2500), 2);
  assert.equal(taken(1_000_000), 3);
});
