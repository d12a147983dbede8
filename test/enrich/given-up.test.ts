import assert from "node:assert/strict";
import { test } from "node:test";
import { GivenUp } from "../../src/enrich/given-up.ts";

test("GivenUp remembers as long as it is asked, and forgets after the pause", () => {
  const givenUp = new GivenUp(60);
  givenUp.add("pod x", 0);
  assert.equal(givenUp.has("pod y", 0), false);
  for (const now of [50, 100, 160]) assert.equal(givenUp.has("pod x", now), true);
  assert.equal(givenUp.has("pod x", 221), false);
  assert.equal(givenUp.size, 0);
});

test("GivenUp forgets what it is told to", () => {
  const givenUp = new GivenUp(60);
  givenUp.add("cluster", 0);
  givenUp.forget("cluster");
  assert.equal(givenUp.has("cluster", 0), false);
});

test("GivenUp holds a bounded number, and lets go of what was asked for the longest ago", () => {
  const givenUp = new GivenUp(1e6);
  for (let i = 0; i < 4096; i++) givenUp.add(`pod ${i}`, i);
  assert.equal(givenUp.has("pod 0", 4096), true);
  givenUp.add("one more", 4097);
  assert.equal(givenUp.size, 4096);
  assert.equal(givenUp.has("pod 0", 4098), true);
  assert.equal(givenUp.has("pod 1", 4098), false);
});
