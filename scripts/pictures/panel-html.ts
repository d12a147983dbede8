import type { AnsweredSeries } from "../dashboards/ask-prometheus.ts";
import type {
  BarsPanel,
  MatrixPanel,
  PanelSource,
  StatPanel,
  TablePanel,
} from "../dashboards/panel-source.ts";
import { heat, thresholdColour } from "./colours.ts";
import { escapeHtml } from "./escape-html.ts";
import { formatValue } from "./format-value.ts";
import { type PlotSize, seriesSvg } from "./series-svg.ts";

/** Answers of a panel's queries, in order. */
export type PanelAnswers = readonly (readonly AnsweredSeries[])[];

/** What is inside a panel's frame. */
export function panelHtml(panel: PanelSource, answers: PanelAnswers, size: PlotSize): string {
  if (answers.every(({ length }) => length === 0)) return emptyHtml(panel);
  switch (panel.kind) {
    case "series":
      return seriesSvg(
        panel,
        answers.flatMap((series, i) =>
          series.map((each) => ({ ...each, name: nameOf(each, panel.queries[i]?.legend ?? "") })),
        ),
        size,
      );
    case "stat":
      return statHtml(panel, answers[0]?.[0], size);
    case "bars":
      return barsHtml(panel, answers[0] ?? []);
    case "table":
      return tableHtml(panel, answers, size);
    case "matrix":
      return matrixHtml(panel, answers[0] ?? []);
  }
}

function emptyHtml({ emptyByNature }: PanelSource): string {
  return `<div class="empty">${escapeHtml(emptyByNature === undefined ? "no data" : `none: ${emptyByNature}`)}</div>`;
}

/** Grafana's legend: `{{label}}` is the label's value. */
function nameOf({ labels }: AnsweredSeries, legend: string): string {
  return legend.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => labels[label] ?? "");
}

function statHtml(panel: StatPanel, series: AnsweredSeries | undefined, { width, height }: PlotSize): string {
  const points = series?.points ?? [];
  const value = points.at(-1)?.[1] ?? 0;
  const colour = thresholdColour(value, panel.thresholds);
  const most = Math.max(...points.map(([, each]) => each), 1e-12);
  const step = width / Math.max(1, points.length - 1);
  const line = points.map(
    ([, each], i) => `${Math.round(i * step)},${Math.round(height - 4 - (each / most) * height * 0.4)}`,
  );
  return `<div class="stat" style="color:${colour}">${escapeHtml(formatValue(value, panel.unit, panel.decimals))}</div><svg class="spark" width="${width}" height="${height}"><polygon points="0,${height} ${line.join(" ")} ${width},${height}" fill="${colour}" fill-opacity="0.13"/></svg>`;
}

function barsHtml(panel: BarsPanel, series: readonly AnsweredSeries[]): string {
  const rows = series
    .map((each) => ({ name: nameOf(each, panel.queries[0]?.legend ?? ""), value: each.points[0]?.[1] ?? 0 }))
    .sort((a, b) => b.value - a.value);
  const most = Math.max(...rows.map(({ value }) => value), 1e-12);
  return `<div class="bars">${rows
    .map(({ name, value }) => {
      const colour = thresholdColour(value, panel.thresholds);
      return `<div><span>${escapeHtml(name)}</span><u><i style="width:${(100 * value) / most}%;background:${colour}"></i></u><b style="color:${colour}">${escapeHtml(formatValue(value, panel.unit, panel.decimals))}</b></div>`;
    })
    .join("")}</div>`;
}

const TABLE_ROW = 23;

function tableHtml(panel: TablePanel, answers: PanelAnswers, { height }: PlotSize): string {
  const { columns, queries, unit, decimals } = panel;
  const byKey = new Map<string, { readonly labels: AnsweredSeries["labels"]; readonly values: number[] }>();
  for (const [i, series] of answers.entries())
    for (const { labels, points } of series) {
      const key = columns.map(({ label }) => labels[label] ?? "").join("\n");
      const row = byKey.get(key) ?? { labels, values: queries.map(() => Number.NaN) };
      row.values[i] = points[0]?.[1] ?? Number.NaN;
      byKey.set(key, row);
    }
  const rows = [...byKey.values()].sort((a, b) => (b.values[0] ?? 0) - (a.values[0] ?? 0) || 0);
  const shown = rows.slice(0, Math.floor((height - TABLE_ROW) / TABLE_ROW));
  const most = Math.max(...rows.map(({ values }) => values[0] ?? 0).filter(Number.isFinite), 1e-12);
  const head = [
    ...columns.map(({ title }) => `<th>${title}</th>`),
    ...queries.map(({ legend }) => `<th class="n">${legend}</th>`),
  ];
  const cell = (value: number, i: number) => {
    const text = Number.isFinite(value) ? formatValue(value, unit, decimals) : "–";
    const share = Number.isFinite(value) ? value / most : 0;
    const style =
      i === 0
        ? ` style="background:linear-gradient(90deg, transparent ${100 - 100 * share}%, ${heat(share)} 0)"`
        : "";
    return `<td class="n"${style}>${escapeHtml(text)}</td>`;
  };
  const body = shown.map(
    ({ labels, values }) =>
      `<tr>${columns.map(({ label }) => `<td>${escapeHtml(labels[label] ?? "")}</td>`).join("")}${values.map(cell).join("")}</tr>`,
  );
  return `<table><tr>${head.join("")}</tr>${body.join("")}</table>`;
}

function matrixHtml({ row, column, unit, decimals }: MatrixPanel, series: readonly AnsweredSeries[]): string {
  const names = (label: string) => [...new Set(series.map(({ labels }) => labels[label] ?? ""))].sort();
  const values = new Map(
    series.map(({ labels, points }) => [
      `${labels[row.label]}\n${labels[column.label]}`,
      points[0]?.[1] ?? 0,
    ]),
  );
  const most = Math.max(...values.values(), 1e-12);
  const columns = names(column.label);
  const body = names(row.label).map((from) => {
    const cells = columns.map((to) => {
      const value = values.get(`${from}\n${to}`) ?? 0;
      return `<td class="cell" style="background:${heat(value / most)}">${escapeHtml(formatValue(value, unit, decimals))}</td>`;
    });
    return `<tr><th>${escapeHtml(from)}</th>${cells.join("")}</tr>`;
  });
  return `<table class="matrix"><tr><th>${row.title} ↓ ${column.title.toLowerCase()} →</th>${columns.map((to) => `<th>${escapeHtml(to)}</th>`).join("")}</tr>${body.join("")}</table>`;
}
