import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { parseAgent } from "../../src/cli/agent-options.ts";
import type { AgentParts } from "../../src/cli/agent-parts.ts";
import { agentReadings } from "../../src/cli/agent-readings.ts";
import { agentState } from "../../src/cli/agent-state.ts";
import { openAgentParts } from "../../src/cli/open-agent-parts.ts";
import type { ExportCounts } from "../../src/export/otlp/export-counts.ts";
import type { MetricExportCounts } from "../../src/export/otlp-metric-exporter.ts";

/** The parts of an agent that exports to nobody yet, made as the agent makes them. */
function someParts(): AgentParts {
  const argv = ["--otlp-endpoint", "http://collector:4317"];
  const command = parseAgent(argv, { env: {}, readText: () => assert.fail("there is no file") });
  assert.ok(command.kind === "agent");
  const stdout = new PassThrough() as unknown as NodeJS.WriteStream; // what is used of one is a stream's
  const host = { stdout, env: {}, hostname: "node-a", version: "0.1.0", main: "", noFfi: true };
  return openAgentParts(command.config, host);
}

const NO_DROPS = { queue_full: 0, rejected: 0, non_retryable: 0, shutdown: 0 };

function logCounts(other: Partial<ExportCounts>): ExportCounts {
  const none = { exported: 0, waitingRecords: 0, waitingBytes: 0, problem: undefined };
  return { ...none, dropped: NO_DROPS, failures: new Map(), ...other };
}

/** Opens exports whose counts are these, as the agent does: after its metrics were made. */
function openExports(parts: AgentParts, logs: ExportCounts, metrics: MetricExportCounts): void {
  parts.exports = { ...parts.exports, logs: () => logs, metrics: () => metrics };
}

test("agentReadings() tells of every signal that is exported since its readings were made, failures by code", () => {
  const parts = someParts();
  const { exported, exportFailures } = agentReadings(parts);
  assert.deepEqual([exported(), exportFailures()], [[], []]);
  openExports(parts, logCounts({ exported: 40, failures: new Map([["UNAVAILABLE", 2]]) }), {
    exported: 7,
    failures: new Map([["401", 3]]),
    problem: "Cannot export metrics: who are you",
  });
  assert.deepEqual(exported(), [
    { attributes: { "tcpretrans.signal": "logs" }, value: 40 },
    { attributes: { "tcpretrans.signal": "metrics" }, value: 7 },
  ]);
  assert.deepEqual(exportFailures(), [
    { attributes: { "tcpretrans.signal": "logs", "error.type": "UNAVAILABLE" }, value: 2 },
    { attributes: { "tcpretrans.signal": "metrics", "error.type": "401" }, value: 3 },
  ]);
});

test("agentState() says of each signal what went wrong with that one", () => {
  const parts = someParts();
  parts.exportWatch.look(0);
  openExports(
    parts,
    logCounts({ failures: new Map([["UNAVAILABLE", 1]]), problem: "Cannot export logs: connection refused" }),
    { exported: 0, failures: new Map([["401", 1]]), problem: "Cannot export metrics: who are you" },
  );
  parts.exportWatch.look(1000);
  const problems = () => agentState(parts).exports.map(({ signal, problem }) => [signal, problem]);
  assert.deepEqual(problems(), [
    ["metrics", "Cannot export metrics: who are you"],
    ["logs", "Cannot export logs: connection refused"],
    ["traces", undefined],
  ]);
  openExports(parts, logCounts({ exported: 1, failures: new Map([["UNAVAILABLE", 1]]) }), {
    ...{ exported: 0, failures: new Map([["401", 2]]), problem: "Cannot export metrics: who are you" },
  });
  parts.exportWatch.look(2000);
  assert.deepEqual(problems()[1], ["logs", undefined]);
});
