import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AgentState,
  liveness,
  type NamesState,
  readiness,
  readinessLines,
} from "../../src/agent/readiness.ts";

const NOW = 1_000_000;

const NO_GAPS = { count: 0, lastMs: undefined };

/** An agent that is well. */
const WELL: AgentState = {
  nowMs: NOW,
  startedMs: NOW - 600_000,
  shuttingDown: false,
  lastTickMs: NOW - 100,
  capture: { rung: "kprobe", missing: [], gaps: NO_GAPS, estimate: undefined },
  refusal: undefined,
  names: [{ resource: "pods", state: "synced", sinceMs: NOW - 500_000, problem: undefined }],
  exports: [
    { signal: "metrics", to: "otlp/grpc collector:4317", state: "ok", problem: undefined },
    { signal: "traces", to: undefined, state: "ok", problem: undefined },
  ],
  others: [],
};

function line(state: Partial<AgentState>, name: string): string | undefined {
  const { ok, parts } = readiness({ ...WELL, ...state });
  const found = readinessLines(parts).find((each) => each.startsWith(`${name}: `));
  return found && `${ok ? "ready" : "not ready"}, ${found}`;
}

test("liveness() fails once the pump has not ticked for more than 30 s, and not while it shuts down", () => {
  assert.deepEqual(liveness(WELL), { ok: true, lines: ["pump: ok: It ticks"] });
  assert.equal(liveness({ ...WELL, lastTickMs: NOW - 30_000 }).ok, true);
  assert.deepEqual(liveness({ ...WELL, lastTickMs: NOW - 30_001 }), {
    ok: false,
    lines: [
      "pump: failing: It has not looked at the kernel's buffers for 30 s. Look at the log, and whether the process gets any CPU",
    ],
  });
  assert.equal(liveness({ ...WELL, lastTickMs: NOW - 90_000, shuttingDown: true }).ok, true);
});

test("liveness() gives the start as long as a tick", () => {
  const starting = { ...WELL, lastTickMs: undefined, capture: undefined };
  assert.equal(liveness({ ...starting, startedMs: NOW - 30_000 }).ok, true);
  assert.equal(liveness({ ...starting, startedMs: NOW - 30_001 }).ok, false);
});

test("readiness() of an agent that is well has each part, and all are ok", () => {
  const { ok, parts } = readiness(WELL);
  assert.equal(ok, true);
  assert.deepEqual(readinessLines(parts), [
    "pump: ok: It ticks",
    "probes: ok: In place, by kprobe",
    "names: pods: ok: Known, and followed",
    "export: metrics: ok: To otlp/grpc collector:4317",
    "export: traces: ok: Not asked for",
  ]);
});

test("readiness() fails while probes are not in place, and where someone has taken them away", () => {
  assert.equal(
    line({ capture: undefined }, "probes"),
    "not ready, probes: failing: They are not in place yet",
  );
  assert.match(
    line(
      { capture: { rung: "kprobe", missing: ["out_1a", "tlp_1a"], gaps: NO_GAPS, estimate: undefined } },
      "probes",
    ) ?? "",
    /^not ready, probes: failing: Another program has switched off out_1a, tlp_1a\. /,
  );
});

test("readiness() says that a rung estimates, or that nothing can be traced, and is ready", () => {
  assert.equal(
    line(
      { capture: { rung: "tracepoint", missing: [], gaps: NO_GAPS, estimate: "segments are not told" } },
      "probes",
    ),
    "ready, probes: degraded: In place, by tracepoint; numbers are an estimate: segments are not told",
  );
  assert.match(
    line({ capture: { rung: undefined, missing: [], gaps: NO_GAPS, estimate: undefined } }, "probes") ?? "",
    /^ready, probes: degraded: This node lets nothing be traced/,
  );
});

const names: readonly { name: string; state: Omit<NamesState, "resource">; line: string }[] = [
  {
    name: "a first list on its way",
    state: { state: "syncing", sinceMs: NOW - 60_000, problem: undefined },
    line: "not ready, names: pods: failing: The first list is on its way",
  },
  {
    name: "a first list that does not come",
    state: { state: "syncing", sinceMs: NOW - 61_000, problem: undefined },
    line: "ready, names: pods: degraded: The first list has not come for 61 s; meanwhile ends are named without them",
  },
  {
    name: "an API server that is away from the start",
    state: { state: "syncing", sinceMs: NOW - 1000, problem: "Cannot reach it: is it up?" },
    line: "ready, names: pods: degraded: Cannot reach it: is it up?; meanwhile ends are named without them",
  },
  {
    name: "a list that is made anew",
    state: { state: "behind", sinceMs: NOW - 45_000, problem: undefined },
    line: "ready, names: pods: ok: About to be listed anew",
  },
  {
    name: "a list that stays behind",
    state: { state: "behind", sinceMs: NOW - 46_000, problem: undefined },
    line: "ready, names: pods: degraded: Known as of 46 s ago: the API server has said nothing since",
  },
  {
    name: "an API server that went away",
    state: { state: "behind", sinceMs: NOW - 12_000, problem: "Cannot reach it" },
    line: "ready, names: pods: degraded: Cannot reach it; known as of 12 s ago",
  },
  {
    name: "a missing permission",
    state: { state: "denied", sinceMs: NOW, problem: "Cannot list pods: grant list" },
    line: "ready, names: pods: degraded: Cannot list pods: grant list; meanwhile ends are named without them",
  },
];
for (const { name, state, line: expected } of names) {
  test(`readiness() of names with ${name}`, () => {
    assert.equal(line({ names: [{ resource: "pods", ...state }] }, "names"), expected);
  });
}

test("readiness() is not the Collector's: all nodes would be unready at once", () => {
  const problem = "The Collector says UNAVAILABLE; records wait in the queue";
  for (const state of ["degraded", "failing"] as const) {
    assert.equal(
      line({ exports: [{ signal: "logs", to: "otlp/grpc collector:4317", state, problem }] }, "export"),
      `ready, export: logs: degraded: ${problem}`,
    );
  }
});

test("readiness() ends with the shutdown, and takes what other parts say", () => {
  assert.equal(line({ shuttingDown: true }, "agent"), "not ready, agent: failing: It is shutting down");
  const others = [
    { name: "records", state: "degraded", sentence: "12 were overwritten", remedy: "Give --buffer-size" },
  ] as const;
  assert.equal(
    line({ others }, "records"),
    "ready, records: degraded: 12 were overwritten. Give --buffer-size",
  );
});

test("readiness() of an agent that the machine lets capture nothing is not ready and says why; it is alive", () => {
  const refusal = { sentence: "Cannot use tracefs: nothing is in it at /t", remedy: "Mount it" };
  const refused = { capture: undefined, refusal, lastTickMs: undefined, startedMs: NOW - 3_600_000 };
  assert.equal(
    line(refused, "probes"),
    "not ready, probes: failing: Cannot use tracefs: nothing is in it at /t. Mount it",
  );
  assert.deepEqual(liveness({ ...WELL, ...refused }), {
    ok: true,
    lines: ["pump: ok: It waits until this machine lets it capture"],
  });
});

test("readiness() tells for a minute of a gap that is over, and stays ready", () => {
  const after = (ms: number) =>
    line(
      { capture: { rung: "kprobe", missing: [], gaps: { count: 2, lastMs: NOW - ms }, estimate: undefined } },
      "probes",
    );
  assert.equal(
    after(5000),
    "ready, probes: degraded: Another program switched them off 5 s ago (gaps so far: 2); they are in place again. Find what uses /sys/kernel/tracing on this node if that goes on",
  );
  assert.equal(after(60_001), "ready, probes: ok: In place, by kprobe");
});
