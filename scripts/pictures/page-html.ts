import { askPanel, type Scope } from "../dashboards/ask-prometheus.ts";
import type { DashboardSource, PanelSource } from "../dashboards/panel-source.ts";
import { escapeHtml } from "./escape-html.ts";
import { panelHtml } from "./panel-html.ts";

export const PAGE_WIDTH = 1280;
const PADDING = 12;
const GAP = 8;
const UNIT_HEIGHT = 28;
const TITLE_HEIGHT = 26;

/** A dashboard with the answers of a Prometheus, as a page for a picture. */
export async function dashboardHtml(
  source: DashboardSource,
  scope: Scope & { readonly note: string },
): Promise<string> {
  const rows: string[] = [];
  for (const { title, panels } of source.rows) {
    const framed: string[] = [];
    for (const panel of panels) framed.push(await frame(panel, scope));
    rows.push(`<h2>${escapeHtml(title)}</h2><section>${framed.join("")}</section>`);
  }
  const { end, rangeSeconds, note, variables = {} } = scope;
  const chosen = Object.entries(variables).map(([name, value]) => ` · $${name} = ${value}`);
  const from = new Date((end - rangeSeconds) * 1000).toISOString().slice(11, 16);
  const to = new Date(end * 1000).toISOString().slice(11, 16);
  return `<!doctype html><meta charset="utf-8"><title>${escapeHtml(source.title)}</title><style>${STYLE}</style><h1>${escapeHtml(source.title)}<small>${from} to ${to} UTC${escapeHtml(chosen.join(""))} · ${escapeHtml(note)}</small></h1>${rows.join("")}`;
}

/** The height of the page in pixels. */
export function pageHeight({ rows }: DashboardSource): number {
  const heights = rows.map(
    ({ panels }) => 28 + lines(panels).reduce((sum, line) => sum + line * UNIT_HEIGHT + GAP, 0),
  );
  return 2 * PADDING + 34 + heights.reduce((sum, height) => sum + height, 0);
}

/** Heights of the lines that panels fill, 24 columns each. */
function lines(panels: readonly PanelSource[]): readonly number[] {
  const heights: number[] = [];
  let column = 24;
  for (const { width, height } of panels) {
    if (column + width > 24) {
      column = 0;
      heights.push(0);
    }
    column += width;
    heights.push(Math.max(heights.pop() ?? 0, height));
  }
  return heights;
}

async function frame(panel: PanelSource, scope: Scope): Promise<string> {
  const column = (PAGE_WIDTH - 2 * PADDING - 23 * GAP) / 24;
  const width = Math.floor(column * panel.width + GAP * (panel.width - 1)) - 18;
  const height = panel.height * UNIT_HEIGHT - TITLE_HEIGHT - 14;
  const size = { width, height, start: scope.end - scope.rangeSeconds, end: scope.end };
  const inside = panelHtml(panel, await askPanel(panel, scope), size);
  return `<article style="grid-column:span ${panel.width};height:${panel.height * UNIT_HEIGHT}px"><h3>${escapeHtml(panel.title)}</h3>${inside}</article>`;
}

const STYLE = `
*{box-sizing:border-box;margin:0;padding:0}
body{width:${PAGE_WIDTH}px;padding:${PADDING}px;background:#eef0f3;color:#22262c;font:12px/1.3 "DejaVu Sans","Liberation Sans",sans-serif}
h1{font-size:18px;height:34px}h1 small{font-weight:400;font-size:12px;color:#6b7280;margin-left:14px}
h2{font-size:13px;height:28px;line-height:28px;color:#4b5563}
section{display:grid;grid-template-columns:repeat(24,1fr);gap:${GAP}px;margin-bottom:${GAP}px}
article{background:#fff;border:1px solid #dfe2e7;border-radius:4px;padding:6px 8px;overflow:hidden;position:relative;min-width:0}
h3{font-size:12px;height:${TITLE_HEIGHT - 4}px;font-weight:600;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
svg text{font-size:10px;fill:#6b7280}svg .grid{stroke:#e8eaee}
.stat{font-size:26px;font-weight:700;text-align:center;padding-top:8px;position:relative;z-index:1}
.spark{position:absolute;left:8px;bottom:2px}
.legend{font-size:11px}.legend.wide{display:grid;grid-template-columns:1fr 1fr;column-gap:18px}.key{display:flex;height:15px;align-items:center;gap:6px}.key i{width:12px;height:4px;border-radius:2px;flex:none}
.key span{flex:1;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}.key em{font-style:normal;color:#6b7280;min-width:74px;text-align:right}.key.more{color:#6b7280}
.bars div{display:grid;grid-template-columns:165px 1fr 62px;gap:8px;height:21px;align-items:center}.bars span{white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.bars u{background:#f1f2f5;height:13px;display:block}.bars i{display:block;height:13px}.bars b{text-align:right}
table{border-collapse:collapse;width:100%}td,th{height:23px;padding:0 7px;text-align:left;border-bottom:1px solid #eef0f3;white-space:nowrap;max-width:190px;overflow:hidden;text-overflow:ellipsis}
th{color:#6b7280;font-weight:600}.n{text-align:right;font-variant-numeric:tabular-nums}
.matrix td,.matrix th{height:27px}.cell{text-align:right;border:2px solid #fff}
.empty{color:#6b7280;text-align:center;padding-top:40px}
`;
