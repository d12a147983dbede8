import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { askEveryPanel, formatAnswers, unexplained } from "../cluster/dashboards.ts";
import { labProgram } from "../support/lab-programs.ts";
import { serveHistory } from "../support/prometheus.ts";
import { syntheticHistory } from "../support/synthetic-history.ts";
import { MINUTES } from "../support/synthetic-traffic.ts";

const promtool = labProgram("promtool");
const prometheus = labProgram("prometheus");

test("askEveryPanel() gets data for every query of every panel from a Prometheus with two hours of a cluster", async (t) => {
  if (promtool === undefined || prometheus === undefined) {
    t.skip("no Prometheus: set PROMTOOL and PROMETHEUS, or run the cluster tier, which builds them");
    return;
  }
  const end = Math.floor(Date.now() / 60_000) * 60;
  const start = end - MINUTES * 60;
  const history = syntheticHistory(end);
  const rules = join(import.meta.dirname, "../../charts/tcpretrans/rules/recording.yaml");
  await using server = await serveHistory({ promtool, prometheus, history, start, end, rules });
  const answers = await askEveryPanel({ url: server.url, end, rangeSeconds: 3600, rateInterval: "2m" });
  t.diagnostic(formatAnswers(answers));
  assert.ok(answers.length > 50);
  assert.deepEqual(unexplained(answers), []);
});
