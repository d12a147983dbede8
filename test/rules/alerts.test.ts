import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { DOCUMENTS_URL } from "../../scripts/dashboards/links.ts";
import { DROP_REASONS } from "../../src/export/otlp/export-counts.ts";
import { documentQueries } from "../support/document-queries.ts";
import { unknownNames } from "../support/known-metrics.ts";

const ROOT = join(import.meta.dirname, "../..");

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

const rules: readonly Rule[] = globSync(join(ROOT, "charts/tcpretrans/rules/*.yaml")).flatMap((file) =>
  (parse(readFileSync(file, "utf8")) as { groups: { rules: Rule[] }[] }).groups.flatMap(
    (group) => group.rules,
  ),
);
const alerts = rules.flatMap((rule) => (rule.alert === undefined ? [] : { ...rule, alert: rule.alert }));
const records = rules.flatMap(({ record }) => record ?? []);

test("every rule is about metrics and labels that the agent exports", () => {
  assert.ok(rules.length > 15);
  for (const { alert, record, expr } of rules)
    assert.deepEqual(unknownNames(expr, records), [], `in ${alert ?? record}`);
});

test("unknownNames finds a metric and a label that nobody exports", () => {
  assert.deepEqual(unknownNames("sum by (source_pod) (rate(tcp_retransmits_total[5m]))", []), ["source_pod"]);
  assert.deepEqual(unknownNames("rate(tcp_retransmit_total[5m]) > 0", []), ["tcp_retransmit_total"]);
  assert.deepEqual(unknownNames("sum by (probe_rung) (rate(tcpretrans_gaps_total[5m]))", []), ["probe_rung"]);
  assert.deepEqual(unknownNames('tcpretrans_gaps_total{probe_rung="kprobe"}', []), [
    "tcpretrans_gaps_total{probe_rung}",
  ]);
  assert.deepEqual(
    unknownNames('tcpretrans_queue_dropped_total{tcpretrans_reason!~"shutdown|overflow"}', []),
    ["tcpretrans_queue_dropped_total{overflow}"],
  );
});

test("every series that the rules are tested with is one that the agent can export", () => {
  const files = globSync(join(ROOT, "test/rules/*.yaml"));
  assert.ok(files.length > 10);
  for (const file of files) {
    const { tests } = parse(readFileSync(file, "utf8")) as {
      tests: { input_series: { series: string }[] }[];
    };
    for (const { series } of tests.flatMap(({ input_series }) => input_series))
      assert.deepEqual(unknownNames(series, records), [], `${basename(file)}: ${series}`);
  }
});

test("the runbook of dropped exports has a line for each reason that the alert can have", () => {
  const text = readFileSync(join(ROOT, "docs/runbooks/TcpretransExportDropping.md"), "utf8");
  const reasons = [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, reason = ""]) => reason);
  const alerting = DROP_REASONS.filter((reason) => reason !== "shutdown");
  assert.deepEqual([...new Set(reasons)].sort(), [...alerting, "tcpretrans_reason"].sort());
});

test("every alert has a severity, a summary, a description and a runbook that is there", () => {
  for (const { alert, labels, annotations } of alerts) {
    assert.match(labels?.["severity"] ?? "", /^(critical|warning|info)$/, alert);
    assert.ok((annotations?.["summary"] ?? "").length > 20, alert);
    assert.ok((annotations?.["description"] ?? "").length > 40, alert);
    assert.equal(annotations?.["runbook_url"], `${DOCUMENTS_URL}/runbooks/${alert}.md`);
    assert.ok(existsSync(join(ROOT, `docs/runbooks/${alert}.md`)), `docs/runbooks/${alert}.md`);
  }
});

test("every alert is tested to fire and not to fire, and to be still in ordinary loss", () => {
  const ordinary = readFileSync(join(ROOT, "test/rules/ordinary-loss.test.yaml"), "utf8");
  for (const { alert } of alerts) {
    const { tests } = parse(readFileSync(join(ROOT, `test/rules/${alert}.test.yaml`), "utf8")) as {
      tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[];
    };
    const expected = tests.flatMap((each) =>
      each.alert_rule_test.filter(({ alertname }) => alertname === alert),
    );
    assert.ok(
      expected.some(({ exp_alerts }) => exp_alerts.length > 0),
      `${alert} fires`,
    );
    assert.ok(
      tests.some((each) => each.alert_rule_test.every(({ exp_alerts }) => exp_alerts.length === 0)),
      `${alert} does not fire`,
    );
    assert.ok(ordinary.includes(`alertname: ${alert}\n`), `${alert} in ordinary loss`);
  }
});

test("every query in runbooks and docs/dashboards.md is about what the agent exports or the rules record", () => {
  const queries = documentQueries();
  assert.ok(queries.length > 20);
  for (const { document, expr } of queries)
    assert.deepEqual(unknownNames(expr, records), [], `${document}: ${expr}`);
});

test("every link between runbooks, docs/dashboards.md and pictures leads somewhere", () => {
  const files = ["docs/dashboards.md", ...globSync("docs/runbooks/*.md", { cwd: ROOT })];
  for (const file of files)
    for (const [, target = ""] of readFileSync(join(ROOT, file), "utf8").matchAll(/\]\(([^)#]+)\)/g))
      assert.ok(existsSync(join(ROOT, dirname(file), target)), `${file}: ${target}`);
});

test("every runbook is of an alert, and there are no others", () => {
  const pages = globSync(join(ROOT, "docs/runbooks/*.md")).map((file) => basename(file, ".md"));
  assert.deepEqual(pages.sort(), alerts.map(({ alert }) => alert).sort());
});
