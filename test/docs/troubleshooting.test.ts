import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type AgentState, type NamesState, readiness } from "../../src/agent/readiness.ts";
import { estimateOf } from "../../src/cli/estimate-of.ts";
import { EXIT_CODES } from "../../src/cli/exit-codes.ts";
import { statusProblem } from "../../src/kube/errors.ts";
import { ROOT } from "./markdown.ts";

const TEXT = readFileSync(join(ROOT, "docs/troubleshooting.md"), "utf8");
const SOURCE = globSync("src/**/*.ts", { cwd: ROOT })
  .map((file) => readFileSync(join(ROOT, file), "utf8"))
  .join("\n");
const NOW = 1_000_000;
const NO_GAPS = { count: 0, lastMs: undefined };
const IN_PLACE = { rung: "kprobe", missing: [], gaps: NO_GAPS, estimate: undefined } as const;

/** An agent that is well. */
const WELL: AgentState = {
  ...{ nowMs: NOW, startedMs: 0, shuttingDown: false, lastTickMs: NOW, capture: IN_PLACE },
  ...{ refusal: undefined, names: [], exports: [], others: [] },
};

const forbidden = statusProblem({ status: 403, body: {} }, "https://api:6443", {
  path: "/api/v1/pods",
  verbs: ["list", "watch"],
}).sentence;

/** An agent that is not, in each way that it can be; what the machine refuses is only looked up below. */
const STATES: readonly Partial<AgentState>[] = [
  { shuttingDown: true },
  { lastTickMs: undefined, startedMs: 0 },
  { lastTickMs: 0 },
  { capture: undefined },
  { capture: { ...IN_PLACE, missing: ["out_1a"] } },
  { capture: { ...IN_PLACE, gaps: { count: 1, lastMs: NOW } } },
  { capture: { ...IN_PLACE, rung: undefined } },
  { capture: { ...IN_PLACE, rung: "tracepoint", estimate: estimateOf({ segments: "assumed" }) } },
  { names: [names("syncing", NOW)] },
  { names: [names("syncing", 0)] },
  { names: [names("behind", 0)] },
  { names: [{ ...names("behind", 0), problem: "Cannot reach the API server" }] },
  { names: [names("denied", 0)] },
  { names: [{ ...names("denied", 0), problem: forbidden }] },
  { exports: [{ signal: "logs", to: "otlp/grpc a:4317", state: "degraded", problem: undefined }] },
];

for (const [i, state] of STATES.entries()) {
  const parts = readiness({ ...WELL, ...state }).parts.filter((part) => part.state !== "ok");
  for (const { name, state: how, sentence } of parts)
    test(`docs/troubleshooting.md has what /readyz says in state ${i}: ${name}: ${how}: ${sentence}`, () => {
      const section = how === "failing" ? "A pod is not ready" : "Ready, but restricted";
      assert.ok(
        sentencesOf(section).some((said) => sentence.includes(said)),
        section,
      );
    });
}

test("docs/troubleshooting.md quotes only what the program can say", () => {
  const made = STATES.flatMap((state) =>
    readiness({ ...WELL, ...state }).parts.map(({ sentence }) => sentence),
  );
  const sections = [
    "A pod is not ready",
    "Ready, but restricted",
    "Nothing arrives at the Collector",
    "Probes are refused",
  ];
  const unknown = sections
    .flatMap(sentencesOf)
    .filter((said) => !SOURCE.includes(said) && !made.some((sentence) => sentence.includes(said)));
  assert.deepEqual(unknown, []);
});

test("README.md has the exit codes", () => {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8").replaceAll("`", "");
  for (const { code, meaning } of Object.values(EXIT_CODES))
    assert.ok(readme.includes(`| ${code} | ${meaning} |`), meaning);
});

/** What is quoted in the first column of a section's table. */
function sentencesOf(section: string): readonly string[] {
  const [, body = ""] = TEXT.split(`\n## ${section}\n`);
  const rows = (body.split("\n## ")[0] ?? "").split("\n").filter((line) => line.startsWith("| `"));
  return rows.flatMap((row) =>
    [...(row.split(" | ")[0] ?? "").matchAll(/`([^`]+)`/g)].map(([, said = ""]) => said.split("…")[0] ?? ""),
  );
}

function names(state: NamesState["state"], sinceMs: number): NamesState {
  return { resource: "pods", state, sinceMs, problem: undefined };
}
