import type { AnsweredSeries } from "../dashboards/ask-prometheus.ts";
import type { SeriesPanel } from "../dashboards/panel-source.ts";
import { colourOf, RED } from "./colours.ts";
import { escapeHtml } from "./escape-html.ts";
import { formatValue } from "./format-value.ts";

/** A line of the picture. */
interface Line extends AnsweredSeries {
  readonly name: string;
}

export interface PlotSize {
  readonly width: number;
  readonly height: number;
  readonly start: number;
  readonly end: number;
}

const LEFT = 62;
const BOTTOM = 18;
const TOP = 6;
const RIGHT = 6;
const LEGEND_ROW = 15;
const MAX_LEGEND = 6;
const TWO_COLUMNS = 460;

/** Lines or stacked areas over time, with a legend of the last and the largest value. */
export function seriesSvg(panel: SeriesPanel, lines: readonly Line[], size: PlotSize): string {
  const ordered = [...lines].sort((a, b) => peak(b) - peak(a));
  const legend = ordered.slice(0, MAX_LEGEND);
  const rows = legend.length + (ordered.length > MAX_LEGEND ? 1 : 0);
  const legendHeight = Math.ceil(rows / (size.width > TWO_COLUMNS ? 2 : 1)) * LEGEND_ROW + 4;
  const plot = { ...size, height: size.height - legendHeight };
  const drawn = panel.stacked === true ? stack(ordered) : ordered.map((line) => ({ line, base: undefined }));
  const tops = drawn.flatMap(({ line }) => line.points.map(([, value]) => value));
  const most = niceMost(Math.max(0, ...tops), panel.unit);
  const scale = scales(plot, most);
  const shapes = drawn.map(({ line, base }, i) =>
    shape(line, { base, scale, colour: colourOf(line.name, i) }),
  );
  const limit = panel.thresholds?.descending === true ? undefined : panel.thresholds?.bad;
  const bar =
    limit === undefined || limit > most
      ? ""
      : `<line x1="${LEFT}" x2="${size.width - RIGHT}" y1="${scale.y(limit)}" y2="${scale.y(limit)}" stroke="${RED}" stroke-dasharray="4 4" opacity="0.6"/>`;
  return `<svg width="${size.width}" height="${plot.height}">${axes(plot, { most, unit: panel.unit, scale })}${shapes.reverse().join("")}${bar}</svg>${legendHtml(panel, ordered, { legend, isWide: size.width > TWO_COLUMNS })}`;
}

interface Scale {
  readonly x: (time: number) => number;
  readonly y: (value: number) => number;
}

function scales({ width, height, start, end }: PlotSize, most: number): Scale {
  const round = (value: number) => Math.round(value * 10) / 10;
  return {
    x: (time) => round(LEFT + ((time - start) / (end - start)) * (width - LEFT - RIGHT)),
    y: (value) => round(TOP + (1 - value / most) * (height - TOP - BOTTOM)),
  };
}

interface Drawn {
  readonly line: Line;
  /** Values below each point, of a stack. */
  readonly base: ReadonlyMap<number, number> | undefined;
}

function stack(lines: readonly Line[]): readonly Drawn[] {
  const sums = new Map<number, number>();
  const times = [...new Set(lines.flatMap(({ points }) => points.map(([time]) => time)))].sort(
    (a, b) => a - b,
  );
  return lines.map((line) => {
    const base = new Map(sums);
    const own = new Map(line.points);
    for (const time of times) sums.set(time, (sums.get(time) ?? 0) + (own.get(time) ?? 0));
    return { line: { ...line, points: times.map((time) => [time, sums.get(time) ?? 0] as const) }, base };
  });
}

function shape(
  { points }: Line,
  { base, scale, colour }: { readonly base: Drawn["base"]; readonly scale: Scale; readonly colour: string },
): string {
  const top = points.map(([time, value]) => `${scale.x(time)},${scale.y(value)}`);
  const path = `<polyline points="${top.join(" ")}" fill="none" stroke="${colour}" stroke-width="1.6"/>`;
  if (base === undefined) return path;
  const bottom = points.map(([time]) => `${scale.x(time)},${scale.y(base.get(time) ?? 0)}`).reverse();
  return `<polygon points="${[...top, ...bottom].join(" ")}" fill="${colour}" fill-opacity="0.75"/>`;
}

function axes(
  { width, start, end, height }: PlotSize,
  { most, unit, scale }: { readonly most: number; readonly unit: string; readonly scale: Scale },
): string {
  const rows = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const y = scale.y(most * share);
    return `<line x1="${LEFT}" x2="${width - RIGHT}" y1="${y}" y2="${y}" class="grid"/><text x="${LEFT - 6}" y="${y + 4}" text-anchor="end">${escapeHtml(formatValue(most * share, unit))}</text>`;
  });
  const step = Math.max(600, Math.round((end - start) / 3600) * 1200);
  const columns: string[] = [];
  for (let time = Math.ceil(start / step) * step; time < end; time += step) {
    const x = scale.x(time);
    if (x > width - 22) continue;
    columns.push(
      `<line x1="${x}" x2="${x}" y1="${TOP}" y2="${height - BOTTOM}" class="grid"/><text x="${x}" y="${height - 4}" text-anchor="middle">${new Date(time * 1000).toISOString().slice(11, 16)}</text>`,
    );
  }
  return `<g>${rows.join("")}${columns.join("")}</g>`;
}

function legendHtml(
  panel: SeriesPanel,
  ordered: readonly Line[],
  { legend, isWide }: { readonly legend: readonly Line[]; readonly isWide: boolean },
): string {
  const rows = legend.map((line, i) => {
    const last = line.points.at(-1)?.[1] ?? 0;
    return `<div class="key"><i style="background:${colourOf(line.name, i)}"></i><span>${escapeHtml(line.name)}</span><b>${escapeHtml(formatValue(last, panel.unit, panel.decimals))}</b><em>max ${escapeHtml(formatValue(peak(line), panel.unit, panel.decimals))}</em></div>`;
  });
  const more = ordered.length - legend.length;
  return `<div class="legend${isWide ? " wide" : ""}">${rows.join("")}${more > 0 ? `<div class="key more">and ${more} more</div>` : ""}</div>`;
}

function peak({ points }: AnsweredSeries): number {
  return Math.max(0, ...points.map(([, value]) => value));
}

/** A round number not below; a share that comes near the whole ends there. */
function niceMost(value: number, unit: string): number {
  if (value <= 0) return 1;
  if (unit === "percentunit" && value > 0.9 && value <= 1) return 1;
  if (unit === "bytes") return 2 ** Math.ceil(Math.log2(value));
  if (unit === "s" && value > 60) return 60 * niceMost(value / 60, "min");
  const magnitude = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 4, 5, 8, 10].find((factor) => value <= factor * magnitude) ?? 10) * magnitude;
}
