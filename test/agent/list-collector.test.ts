import assert from "node:assert/strict";
import { test } from "node:test";
import { listCollector } from "../../src/agent/list-collector.ts";

const MIB = 1024 * 1024;

test("listCollector() collects each time that 8 MiB have come on top while lists come in", () => {
  const state = { own: 40 * MIB, listed: 0 as number | undefined, collected: 0 };
  const look = listCollector({
    ownBytes: () => state.own,
    listedBytes: () => state.listed,
    collect: () => {
      state.collected++;
      state.own -= 5 * MIB;
    },
  });
  const after = (listed: number | undefined, own: number) => {
    state.listed = listed;
    state.own += own * MIB;
    look();
    return state.collected;
  };
  assert.equal(after(0, 0), 0, "nothing came");
  assert.equal(after(1, 0), 1);
  assert.equal(after(2, 7), 1);
  assert.equal(after(3, 1), 2);
  assert.equal(after(3, 20), 2, "nothing came any more");
  assert.equal(after(undefined, 20), 2, "all is in");
  assert.equal(after(4, 0), 3, "another list");
});
