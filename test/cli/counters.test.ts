import assert from "node:assert/strict";
import { test } from "node:test";
import { differences } from "../../src/cli/counters.ts";
import { TCP_COUNTER_NAMES, type TcpCounterName, type TcpCounters } from "../../src/host/tcp-counters.ts";

const NETNS = 4_026_531_840;

function at(OutSegs: bigint, RetransSegs: bigint): TcpCounters {
  const given: Partial<Record<TcpCounterName, bigint>> = { OutSegs, RetransSegs };
  return Object.fromEntries(
    TCP_COUNTER_NAMES.map((name) => [name, given[name] ?? 0n]),
  ) as unknown as TcpCounters;
}

/** Segments sent and retransmitted between two readings of one namespace; undefined where no line is shown. */
function moved(before: ReadonlyMap<number, TcpCounters | undefined>, now: TcpCounters | undefined) {
  const [counts] = differences(before, new Map([[NETNS, now]]));
  return counts && [counts.of("OutSegs"), counts.of("RetransSegs")];
}

interface Case {
  readonly name: string;
  readonly before: readonly (readonly [number, TcpCounters | undefined])[];
  readonly now: TcpCounters | undefined;
  readonly gives: readonly number[] | undefined;
}

const CASES: readonly Case[] = [
  { name: "what moved", before: [[NETNS, at(100n, 5n)]], now: at(130n, 7n), gives: [30, 2] },
  {
    name: "nothing where nothing moved",
    before: [[NETNS, at(100n, 5n)]],
    now: at(130n, 5n),
    gives: undefined,
  },
  { name: "all of a new namespace", before: [], now: at(30n, 2n), gives: [30, 2] },
  {
    name: "all of a namespace that got the number of one that is gone",
    ...{ before: [[NETNS, at(100n, 5n)]], now: at(30n, 2n), gives: [30, 2] },
  },
  {
    name: "nothing of a namespace that could not be read before",
    ...{ before: [[NETNS, undefined]], now: at(30n, 2n), gives: undefined },
  },
  {
    name: "nothing of a namespace that cannot be read now",
    ...{ before: [[NETNS, at(100n, 5n)]], now: undefined, gives: undefined },
  },
];

for (const { name, before, now, gives } of CASES) {
  test(`differences() gives ${name}`, () => {
    assert.deepEqual(moved(new Map(before), now), gives);
  });
}
