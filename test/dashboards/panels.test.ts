import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { parse } from "yaml";
import { askNow, type Scope } from "../../scripts/dashboards/ask-prometheus.ts";
import { askEveryPanel, formatAnswers, unexplained } from "../cluster/dashboards.ts";
import { documentQueries } from "../support/document-queries.ts";
import { labProgram } from "../support/lab-programs.ts";
import { serveHistory } from "../support/prometheus.ts";
import { syntheticHistory } from "../support/synthetic-history.ts";
import { BAD_CARD_FROM, MINUTES } from "../support/synthetic-traffic.ts";

const RULES = join(import.meta.dirname, "../../charts/tcpretrans/rules");
const promtool = labProgram("promtool");
const prometheus = labProgram("prometheus");
const skip =
  promtool === undefined || prometheus === undefined
    ? "no Prometheus: set PROMTOOL and PROMETHEUS, or run the cluster tier, which builds them"
    : false;

test("a Prometheus with two hours of a made cluster answers", { skip }, async (t) => {
  assert.ok(promtool !== undefined && prometheus !== undefined);
  const end = Math.floor(Date.now() / 60_000) * 60;
  const start = end - MINUTES * 60;
  const history = syntheticHistory(end);
  const rules = join(RULES, "recording.yaml");
  await using server = await serveHistory({ promtool, prometheus, history, start, end, rules });
  const scope = { url: server.url, end, rangeSeconds: 3600, rateInterval: "2m" };
  await t.test("askEveryPanel() gets data for every query of every panel, or there is a reason", (sub) =>
    checkPanels(sub, scope),
  );
  await t.test("every query in README.md and docs/dashboards.md has an answer, and every other one is a query", () =>
    checkDocuments(scope),
  );
  await t.test("alerts find the bad card and the service that does not answer, and nothing before", () =>
    checkAlerts(scope, start),
  );
});

async function checkPanels(t: TestContext, scope: Scope): Promise<void> {
  const answers = await askEveryPanel(scope);
  t.diagnostic(formatAnswers(answers));
  assert.ok(answers.length > 50);
  assert.deepEqual(unexplained(answers), []);
}

async function checkDocuments(scope: Scope): Promise<void> {
  for (const { document, expr } of documentQueries()) {
    const found = await askNow(expr, scope);
    if (document === "README.md" || document === "dashboards.md") assert.notEqual(found.length, 0, expr);
  }
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
}

async function checkAlerts(scope: Scope, start: number): Promise<void> {
  const { groups } = parse(readFileSync(join(RULES, "alerts.yaml"), "utf8")) as {
    groups: { rules: Rule[] }[];
  };
  const firing = async (end: number) => {
    const found: string[] = [];
    for (const { alert, expr } of groups.flatMap(({ rules }) => rules))
      for (const { labels } of await askNow(expr, { ...scope, end }))
        found.push(
          [
            alert,
            ...["source_k8s_workload_name", "destination_name", "node"].flatMap((key) => labels[key] ?? []),
          ].join(" "),
        );
    return found.sort();
  };
  assert.deepEqual(await firing(start + (BAD_CARD_FROM - 2) * 60), []);
  assert.deepEqual(await firing(scope.end), [
    "TcpRetransmitNodeOutlier node-4",
    "TcpRetransmitRatioHigh gateway",
    "TcpRetransmitRatioHigh transcoder",
    "TcpSynRetransmits payments/ledger",
    // Each has a pod on node-4.
    "TcpTimeoutsHigh checkout",
    "TcpTimeoutsHigh web",
  ]);
}
