import { PanelBuilder as BarsBuilder } from "@grafana/grafana-foundation-sdk/bargauge";
import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import {
  BarGaugeDisplayMode,
  BigValueColorMode,
  GraphGradientMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  StackingConfigBuilder,
  StackingMode,
  TableSortByFieldStateBuilder,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import {
  DashboardLinkBuilder,
  DashboardLinkType,
  FieldColorBuilder,
  FieldColorModeId,
  type Panel,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TableBuilder } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as SeriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import type {
  BarsPanel,
  MatrixPanel,
  PanelLink,
  PanelSource,
  SeriesPanel,
  StatPanel,
  TablePanel,
  Thresholds,
} from "./panel-source.ts";

/** The variable that names the Prometheus to ask. */
export const DATASOURCE = { type: "prometheus", uid: "$" + "{datasource}" };

/** What all kinds of panel have in common. */
type AnyBuilder = SeriesBuilder | StatBuilder | BarsBuilder | TableBuilder;

/** Grafana's panel. */
export function grafanaPanel(panel: PanelSource, id: number): Builder<Panel> {
  switch (panel.kind) {
    case "series":
      return common(seriesPanel(panel), panel, id);
    case "stat":
      return common(statPanel(panel), panel, id);
    case "bars":
      return common(barsPanel(panel), panel, id);
    case "table":
      return common(tablePanel(panel), panel, id);
    case "matrix":
      return common(matrixPanel(panel), panel, id);
  }
}

/** The description as it is shown: with why the panel may be empty. */
export function descriptionOf({ description, emptyByNature }: PanelSource): string {
  return emptyByNature === undefined ? description : `${description} Empty where ${emptyByNature}.`;
}

function common<T extends AnyBuilder>(builder: T, panel: PanelSource, id: number): T {
  const { title, width, height, unit, decimals, queries, links = [] } = panel;
  builder
    .id(id)
    .title(title)
    .description(descriptionOf(panel))
    .datasource(DATASOURCE)
    .span(width)
    .height(height)
    .unit(unit)
    .noValue(panel.emptyByNature === undefined ? "no data" : "none");
  if (decimals !== undefined) builder.decimals(decimals);
  for (const [i, { expr, legend }] of queries.entries()) {
    const query = new DataqueryBuilder()
      .refId(String.fromCharCode(65 + i))
      .datasource(DATASOURCE)
      .expr(expr)
      .legendFormat(legend);
    if (panel.kind === "series" || panel.kind === "stat") query.range();
    else query.instant();
    if (panel.kind === "table" || panel.kind === "matrix") query.format(PromQueryFormat.Table);
    builder.withTarget(query);
  }
  builder.links(links.filter(isOfPanel).map(grafanaLink));
  builder.dataLinks(links.filter((link) => !isOfPanel(link)).map(grafanaLink));
  return builder;
}

/** Links without a value's labels belong to the panel. */
function isOfPanel({ url }: PanelLink): boolean {
  return !url.includes("{__field.") && !url.includes("{__data.");
}

export function grafanaLink({ title, url }: PanelLink): DashboardLinkBuilder {
  return new DashboardLinkBuilder(title).type(DashboardLinkType.Link).url(url).targetBlank(true);
}

function seriesPanel({ stacked, thresholds }: SeriesPanel): SeriesBuilder {
  const builder = new SeriesBuilder()
    .min(0)
    .lineWidth(1)
    .fillOpacity(stacked === true ? 60 : 8)
    .gradientMode(GraphGradientMode.None)
    .showPoints(VisibilityMode.Never)
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi))
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(["lastNotNull", "max"]),
    );
  if (stacked === true) builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
  if (thresholds !== undefined) builder.thresholds(grafanaThresholds(thresholds));
  return builder;
}

function statPanel({ thresholds }: StatPanel): StatBuilder {
  return new StatBuilder()
    .reduceOptions(lastValue())
    .colorMode(thresholds === undefined ? BigValueColorMode.None : BigValueColorMode.Value)
    .thresholds(grafanaThresholds(thresholds));
}

function barsPanel({ thresholds }: BarsPanel): BarsBuilder {
  return new BarsBuilder()
    .orientation(VizOrientation.Horizontal)
    .displayMode(BarGaugeDisplayMode.Basic)
    .reduceOptions(lastValue())
    .min(0)
    .thresholds(grafanaThresholds(thresholds));
}

function tablePanel({ columns, queries }: TablePanel): TableBuilder {
  const labels = columns.map(({ label }) => label);
  const values = queries.map((_, i) =>
    queries.length === 1 ? "Value" : `Value #${String.fromCharCode(65 + i)}`,
  );
  const names = [...labels, ...values];
  const titles = [...columns.map(({ title }) => title), ...queries.map(({ legend }) => legend)];
  const builder = new TableBuilder().showHeader(true).thresholds(grafanaThresholds(undefined));
  if (queries.length > 1) builder.withTransformation({ id: "merge", options: {} });
  builder.withTransformation({
    id: "organize",
    options: {
      excludeByName: { Time: true },
      indexByName: Object.fromEntries(names.map((name, i) => [name, i])),
      renameByName: Object.fromEntries(names.map((name, i) => [name, titles[i]])),
    },
  });
  const [first] = queries;
  if (first !== undefined) {
    builder.sortBy([new TableSortByFieldStateBuilder().displayName(first.legend).desc(true)]);
    builder.overrideByName(first.legend, [
      { id: "custom.cellOptions", value: { type: "gauge", mode: "basic", valueDisplayMode: "text" } },
      { id: "color", value: { mode: FieldColorModeId.ContinuousYlRd } },
      { id: "min", value: 0 },
    ]);
  }
  return builder;
}

function matrixPanel({ row, column }: MatrixPanel): TableBuilder {
  return new TableBuilder()
    .showHeader(true)
    .min(0)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.ContinuousYlRd))
    .withTransformation({
      id: "groupingToMatrix",
      options: { rowField: row.label, columnField: column.label, valueField: "Value", emptyValue: "zero" },
    })
    .overrideByFieldType("number", [
      { id: "custom.cellOptions", value: { type: "color-background", mode: "basic" } },
    ]);
}

function lastValue(): ReduceDataOptionsBuilder {
  return new ReduceDataOptionsBuilder().calcs(["lastNotNull"]).values(false);
}

function grafanaThresholds(thresholds: Thresholds | undefined): ThresholdsConfigBuilder {
  const builder = new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute);
  if (thresholds === undefined) return builder.steps([{ value: null, color: "blue" }]);
  const { warning, bad, descending } = thresholds;
  if (descending !== true)
    return builder.steps([
      { value: null, color: "green" },
      { value: warning, color: "yellow" },
      { value: bad, color: "red" },
    ]);
  return builder.steps([
    { value: null, color: "red" },
    { value: bad, color: "yellow" },
    { value: warning, color: "green" },
  ]);
}
