import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { DASHBOARDS } from "../../scripts/dashboards/all-dashboards.ts";
import { dashboardText, SCHEMA_VERSION } from "../../scripts/dashboards/grafana-dashboard.ts";
import { DOCUMENTS_URL } from "../../scripts/dashboards/links.ts";
import { unknownNames } from "../support/known-metrics.ts";

const ROOT = join(import.meta.dirname, "../..");
const files = globSync(join(ROOT, "charts/tcpretrans/dashboards/*.json")).map((file) => basename(file));
const sources = Object.values(DASHBOARDS);
const panels = sources.flatMap(({ title, rows }) =>
  rows.flatMap((row) => row.panels.map((panel) => ({ where: `${title}: ${panel.title}`, panel }))),
);

const records = (
  parse(readFileSync(join(ROOT, "charts/tcpretrans/rules/recording.yaml"), "utf8")) as {
    groups: { rules: { record: string }[] }[];
  }
).groups.flatMap(({ rules }) => rules.map(({ record }) => record));

test("the dashboards of the chart are what scripts/dashboards.ts writes", () => {
  assert.deepEqual(files.sort(), Object.keys(DASHBOARDS).sort());
  for (const [file, source] of Object.entries(DASHBOARDS)) {
    const committed = readFileSync(join(ROOT, "charts/tcpretrans/dashboards", file), "utf8");
    assert.equal(committed, dashboardText(source), `${file}: run npm run generate:dashboards`);
  }
});

test("a dashboard is one that Grafana's sidecar takes: a uid of its own, no id, no inputs, the pinned schema", () => {
  const parsed = sources.map((source) => JSON.parse(dashboardText(source)));
  assert.equal(new Set(parsed.map(({ uid }) => uid)).size, parsed.length);
  for (const dashboard of parsed) {
    assert.equal(dashboard.id, null);
    assert.equal("__inputs" in dashboard, false);
    assert.equal(dashboard.schemaVersion, SCHEMA_VERSION);
    const variables = dashboard.templating.list.map(({ name }: { name: string }) => name);
    for (const name of ["datasource", "cluster", "namespace", "workload", "node"])
      assert.ok(variables.includes(name), `$${name} in ${dashboard.title}`);
  }
});

test("every panel says what it shows, has a unit, fits the grid and asks the chosen Prometheus", () => {
  assert.ok(panels.length >= 30);
  for (const { where, panel } of panels) {
    assert.ok(panel.description.length > 30, where);
    assert.match(panel.description, /[.?]$/, where);
    assert.notEqual(panel.unit, "", where);
    assert.ok(panel.width <= 24, where);
  }
  for (const { panels: built, title } of sources.map((source) => JSON.parse(dashboardText(source))))
    for (const { gridPos, type, datasource } of built) {
      assert.ok(gridPos.x + gridPos.w <= 24, title);
      if (type !== "row")
        assert.deepEqual(datasource, { type: "prometheus", uid: "$" + "{datasource}" }, title);
    }
});

test("every query is about metrics and labels that the agent exports or the rules record", () => {
  for (const { where, panel } of panels)
    for (const { expr } of panel.queries) assert.deepEqual(unknownNames(expr, records), [], where);
});

test("every query takes rates over $__rate_interval, and all that grows over $__range", () => {
  for (const { where, panel } of panels)
    for (const { expr } of panel.queries)
      for (const [window] of expr.matchAll(/\[[^\]]*\]/g))
        assert.match(window, /^\[\$__(rate_interval|range)\]$/, where);
});

test("every link leads to a dashboard or a document that is there", () => {
  const uids = sources.map(({ uid }) => uid);
  const links = [
    ...panels.flatMap(({ panel }) => panel.links ?? []),
    ...sources.flatMap(({ documents }) => documents),
  ];
  assert.ok(links.length > 20);
  for (const { url } of links) {
    if (url.startsWith("/explore?")) continue;
    if (url.startsWith("/d/"))
      assert.ok(
        uids.some((uid) => url.startsWith(`/d/${uid}?`)),
        url,
      );
    else assert.ok(existsSync(join(ROOT, "docs", url.slice(DOCUMENTS_URL.length + 1))), url);
  }
});
