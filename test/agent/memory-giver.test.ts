import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryGiver } from "../../src/agent/memory-giver.ts";

const MIB = 1024 * 1024;

/** Lets seconds pass, in each of which so much CPU is used; gives how often memory was given back so far. */
function aProcess() {
  const state = { cpuUs: 0, own: 70 * MIB, given: 0, unmapped: 0, collected: 0 };
  const look = memoryGiver({
    cpuUs: () => state.cpuUs,
    ownBytes: () => state.own,
    giveBack: () => {
      state.given++;
      state.own = 30 * MIB;
    },
    unmap: () => void state.unmapped++,
    collect: () => {
      state.collected++;
      state.own -= 20 * MIB;
    },
  });
  return {
    state,
    pass(seconds: number, cpuUsEach: number): number {
      for (let i = 0; i < seconds; i++) {
        state.cpuUs += cpuUsEach;
        look();
      }
      return state.given;
    },
  };
}

test("memoryGiver() gives back what the start has needed, once, when ten seconds were quiet", () => {
  const { pass } = aProcess();
  assert.equal(pass(9, 3_000), 0);
  assert.equal(pass(1, 3_000), 1);
  assert.equal(pass(600, 3_000), 1);
});

test("memoryGiver() waits while there is work, and gives back afterwards", () => {
  const { pass } = aProcess();
  assert.equal(pass(60, 200_000), 0);
  assert.equal(pass(20, 3_000), 1);
});

test("memoryGiver() unmaps once more ten quiet seconds after it gave back", () => {
  const { pass, state } = aProcess();
  pass(19, 3_000);
  assert.equal(state.unmapped, 0);
  pass(601, 3_000);
  assert.equal(state.unmapped, 1);
  state.own += 9 * MIB;
  pass(10, 3_000);
  pass(60, 200_000);
  assert.deepEqual([state.given, state.unmapped], [2, 1]);
  pass(600, 3_000);
  assert.deepEqual([state.given, state.unmapped], [2, 2]);
});

test("memoryGiver() gives back again when memory has grown by 8 MiB, and not for less", () => {
  const { pass, state } = aProcess();
  pass(10, 3_000);
  state.own += 7 * MIB;
  assert.equal(pass(60, 3_000), 1);
  state.own += 2 * MIB;
  assert.equal(pass(60, 3_000), 2);
});

test("memoryGiver() does not collect again at work what did not pile up since", () => {
  const { pass, state } = aProcess();
  pass(10, 3_000);
  state.own = 90 * MIB;
  pass(60, 200_000);
  assert.deepEqual([state.collected, state.own], [1, 70 * MIB]);
  state.own += 3 * MIB;
  pass(60, 200_000);
  assert.equal(state.collected, 1);
  state.own += 2 * MIB;
  pass(60, 200_000);
  assert.equal(state.collected, 2);
  pass(20, 3_000);
  assert.deepEqual([state.given, state.own], [2, 30 * MIB]);
});

test("memoryGiver() takes for piled up at work what has come on top of the least since the collection", () => {
  const { pass, state } = aProcess();
  pass(10, 3_000);
  state.own = 130 * MIB;
  pass(10, 200_000);
  assert.deepEqual([state.collected, state.own], [1, 110 * MIB]);
  state.own = 50 * MIB;
  pass(10, 200_000);
  state.own = 63 * MIB;
  pass(10, 200_000);
  assert.equal(state.collected, 2);
});

test("memoryGiver() collects what has piled up at work, each ten seconds at most, and gives nothing back", () => {
  const { pass, state } = aProcess();
  pass(10, 3_000);
  state.own = 61 * MIB;
  assert.equal(pass(60, 200_000), 1);
  assert.equal(state.collected, 0);
  state.own = 63 * MIB;
  assert.equal(pass(9, 200_000), 1);
  assert.equal(state.collected, 0);
  assert.equal(pass(60, 200_000), 1);
  assert.equal(state.collected, 1);
});
