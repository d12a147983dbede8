import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiProblem } from "../../src/kube/api-problem.ts";
import { Follower, type Turn } from "../../src/kube/follower.ts";
import { fastClock } from "./fast-clock.ts";
import { feedOf, type Named } from "./feed-fixture.ts";
import { ScriptedServer } from "./scripted-server.ts";

const FORBIDDEN: ApiProblem = { kind: "forbidden", sentence: "Cannot list pods" };
const FAILING: ApiProblem = { kind: "failing", sentence: "The API server says 500" };

/** Runs turns, one after the other, until the last one has been taken; gives the follower and the waits asked for. */
async function taking(
  turns: readonly ((follower: Follower<Named>) => ReturnType<Turn>)[],
  { random = () => 0.5, firstWithinMs }: { random?: () => number; firstWithinMs?: number } = {},
) {
  await using server = await ScriptedServer.start((call) => call.json("{}"));
  const clock = fastClock(10_000, random);
  const client = await server.client(clock);
  const stop = new AbortController();
  const left = [...turns];
  const follower = new Follower<Named>(
    { ...feedOf(client, clock).feed, ...(firstWithinMs === undefined ? {} : { firstWithinMs }) },
    (itself) => async () => {
      const waitMs = await left.shift()?.(itself);
      if (left.length === 0) stop.abort();
      return waitMs ?? 0;
    },
  );
  await follower.run(stop.signal);
  client.close();
  return { follower, waits: clock.waits };
}

test("Follower.run() waits for a random part of the first time, and then as long as each turn says", async () => {
  const turn = (ms: number) => () => Promise.resolve(ms);
  assert.deepEqual(
    (await taking([turn(100), turn(0), turn(300)])).waits,
    [1_000, 100],
    "the last turn is over",
  );
  assert.deepEqual((await taking([turn(1)], { random: () => 0.25, firstWithinMs: 400 })).waits, [100]);
});

const STATES: readonly {
  name: string;
  steps: (follower: Follower<Named>) => Promise<unknown>;
  state: string;
}[] = [
  { name: "syncing while nothing has worked", steps: (it) => it.failed(FAILING), state: "syncing" },
  {
    name: "syncing, not behind, where the past is gone before there was a list",
    steps: async (it) => it.behind(),
    state: "syncing",
  },
  {
    name: "behind when what was complete fails",
    steps: async (it) => {
      it.synced();
      await it.failed(FAILING);
    },
    state: "behind",
  },
  {
    name: "denied through other failures",
    steps: async (it) => {
      it.synced();
      await it.failed(FORBIDDEN);
      await it.failed(FAILING);
    },
    state: "denied",
  },
  {
    name: "behind after a refusal when a watch was opened, whose past is gone",
    steps: async (it) => {
      it.synced();
      await it.failed(FORBIDDEN);
      it.behind();
    },
    state: "behind",
  },
  {
    name: "synced when all is there again",
    steps: async (it) => {
      await it.failed(FORBIDDEN);
      it.synced();
    },
    state: "synced",
  },
];
for (const { name, steps, state } of STATES) {
  test(`Follower.state is ${name}`, async () => {
    const step = async (follower: Follower<Named>) => {
      await steps(follower);
      return 0;
    };
    assert.equal((await taking([step])).follower.state, state);
  });
}

test("Follower.failed() counts the problem, and takes an end that was asked for as no failure", async () => {
  const waits: number[] = [];
  const fail = (problem: ApiProblem) => async (follower: Follower<Named>) => {
    waits.push(await follower.failed(problem));
    return 0;
  };
  const { follower } = await taking([fail(FAILING), fail({ kind: "stopped", sentence: "Stopped" })]);
  assert.deepEqual(follower.counters.problems, { failing: 1, stopped: 1 });
  assert.deepEqual(waits, [250, 0], "half of 500 ms, and none");
  assert.equal(follower.recovery.failures, 1);
});
