import assert from "node:assert/strict";
import { test } from "node:test";
import type { Role } from "../../src/probe/probe-record.ts";
import { Scopes } from "../../src/probe/scopes.ts";
import { probeRecord, type RecordPlan } from "../support/probe-records.ts";

const TASK = 700;

/** Steps of one kernel, then what a record sees. A socket of null stands for a record of its own context alone. */
interface Row {
  readonly name: string;
  readonly steps: readonly (readonly [Role, RecordPlan])[];
  readonly at: RecordPlan;
  readonly scope: "reordering" | "mtu" | undefined;
}

const here = { key: 1, pid: TASK, cpu: 0 };
const nested = Array.from({ length: 9 }, (_, i) => ["mtu_enter", { ...here, key: 10 + i }] as const);

const ROWS: readonly Row[] = [
  { name: "nothing before any entry", steps: [], at: here, scope: undefined },
  {
    name: "the function that runs for the socket",
    steps: [["reordering_enter", here]],
    at: here,
    scope: "reordering",
  },
  { name: "tcp_simple_retransmit alike", steps: [["mtu_enter", here]], at: here, scope: "mtu" },
  {
    name: "nothing after the return",
    steps: [
      ["reordering_enter", here],
      ["reordering_return", { ...here, key: 0 }],
    ],
    at: here,
    scope: undefined,
  },
  {
    name: "nothing for another socket in the same context",
    steps: [["reordering_enter", here]],
    at: { ...here, key: 2 },
    scope: undefined,
  },
  {
    name: "nothing for the same socket in another task",
    steps: [["reordering_enter", here]],
    at: { ...here, pid: TASK + 1 },
    scope: undefined,
  },
  {
    name: "the function of a task that has moved to another CPU",
    steps: [["mtu_enter", here]],
    at: { ...here, cpu: 1 },
    scope: "mtu",
  },
  {
    name: "nothing on another CPU's idle task",
    steps: [["reordering_enter", { key: 1, pid: 0, cpu: 0 }]],
    at: { key: 1, pid: 0, cpu: 1 },
    scope: undefined,
  },
  {
    name: "the idle task's function although the other CPU's has returned",
    steps: [
      ["reordering_enter", { key: 1, pid: 0, cpu: 0 }],
      ["reordering_enter", { key: 2, pid: 0, cpu: 1 }],
      ["reordering_return", { key: 0, pid: 0, cpu: 1 }],
    ],
    at: { key: 1, pid: 0, cpu: 0 },
    scope: "reordering",
  },
  {
    name: "the outer function after a nested one has returned",
    steps: [
      ["mtu_enter", here],
      ["reordering_enter", { ...here, key: 2 }],
      ["reordering_return", { ...here, key: 0 }],
    ],
    at: here,
    scope: "mtu",
  },
  {
    name: "the outer function while another socket's nests in it",
    steps: [
      ["mtu_enter", here],
      ["reordering_enter", { ...here, key: 2 }],
    ],
    at: here,
    scope: "mtu",
  },
  {
    name: "nothing after a return that closes a call whose own return was missed",
    steps: [
      ["mtu_enter", here],
      ["reordering_enter", here],
      ["mtu_return", { ...here, key: 0 }],
    ],
    at: here,
    scope: undefined,
  },
  {
    name: "nothing when a call whose return was missed is entered again and returns",
    steps: [
      ["reordering_enter", here],
      ["reordering_enter", here],
      ["reordering_return", { ...here, key: 0 }],
    ],
    at: here,
    scope: undefined,
  },
  {
    name: "the open call after a return of the other function",
    steps: [
      ["reordering_enter", here],
      ["mtu_return", { ...here, key: 0 }],
    ],
    at: here,
    scope: "reordering",
  },
  {
    name: "no call that eight later ones have pushed out",
    steps: [["mtu_enter", here], ...nested],
    at: here,
    scope: undefined,
  },
  { name: "the last of many calls without a return", steps: nested, at: { ...here, key: 18 }, scope: "mtu" },
];

for (const { name, steps, at, scope } of ROWS) {
  test(`Scopes.of() gives ${name}`, () => {
    const scopes = new Scopes();
    for (const [role, plan] of steps) scopes.push(probeRecord(role, plan));
    assert.equal(scopes.of(probeRecord("attempt", at)), scope);
  });
}
