import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableHide,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DATASOURCE, grafanaLink, grafanaPanel } from "./grafana-panel.ts";
import type { DashboardSource, VariableSource } from "./panel-source.ts";

/** The classic model's version that the builders write; Grafana migrates from it. */
export const SCHEMA_VERSION = 42;

/** Grafana's classic model, as the sidecar and the import take it. */
export function grafanaDashboard(source: DashboardSource): Dashboard {
  const builder = new DashboardBuilder(source.title)
    .uid(source.uid)
    .id(null)
    .description(source.description)
    .tags(["tcpretrans"])
    .timezone("browser")
    .time({ from: "now-1h", to: "now" })
    .refresh("1m")
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(datasource("datasource", "Metrics", "prometheus"))
    .withVariable(datasource("logs", "Logs", "loki").hide(VariableHide.HideVariable))
    .annotation(alerts())
    .link(
      new DashboardLinkBuilder("tcpretrans")
        .type(DashboardLinkType.Dashboards)
        .tags(["tcpretrans"])
        .includeVars(true)
        .keepTime(true),
    );
  for (const variable of source.variables) builder.withVariable(query(variable));
  for (const document of source.documents) builder.link(grafanaLink(document));
  let id = 0;
  for (const row of source.rows) {
    builder.withRow(new RowBuilder(row.title).id(++id));
    for (const panel of row.panels) builder.withPanel(grafanaPanel(panel, ++id));
  }
  const dashboard = builder.build();
  if (dashboard.schemaVersion !== SCHEMA_VERSION)
    throw new Error(`Cannot write a dashboard: schemaVersion is ${dashboard.schemaVersion}`);
  return dashboard;
}

/** The file's text. */
export function dashboardText(source: DashboardSource): string {
  return `${JSON.stringify(grafanaDashboard(source), null, 2)}\n`;
}

function datasource(name: string, label: string, type: string): DatasourceVariableBuilder {
  return new DatasourceVariableBuilder(name).label(label).type(type);
}

/** All is `.*`, which a series without the label matches too: processes of a node have no namespace. */
function query({ name, label, query }: VariableSource): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query({ query, refId: "PrometheusVariableQueryEditor-VariableQuery", qryType: 1 })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue(".*")
    .current({ text: ["All"], value: ["$__all"], selected: true });
}

/** Where an alert fired, on every picture. */
function alerts(): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder()
    .name("Alerts")
    .datasource(DATASOURCE)
    .enable(true)
    .iconColor("red")
    .expr(
      'max by (alertname) (ALERTS{alertname=~"Tcp(Retransmit|Timeouts|SynRetransmits|retrans).*",alertstate="firing",k8s_cluster_name=~"$cluster"})',
    );
}
