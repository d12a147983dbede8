import { type Html, html } from "./html.ts";
import type { ExportModel, PageModel } from "./page-model.ts";
import { shownName } from "./page-name.ts";
import { formatBytes, formatCount, formatDuration, formatFill } from "./page-words.ts";

/** What leaves this node, and what waits. */
export function exportsSection({ exports, nowUnixMs }: PageModel): Html {
  if (exports.every(({ to }) => to === undefined)) {
    return html`<section>
<h2>Export</h2>
<div class="card pad"><p>Nothing is sent: no OTLP endpoint is set. <a href="metrics">/metrics</a> can be scraped all the same.</p></div>
</section>`;
  }
  return html`<section>
<h2>Export</h2>
<div class="card">
<table class="fold">
<thead><tr><th scope="col">Signal</th><th scope="col" class="num">Sent</th><th scope="col" class="num">Waiting</th><th scope="col" class="num">Dropped</th><th scope="col" class="num">Last taken</th></tr></thead>
<tbody>
${exports.map((signal) => exportRow(signal, nowUnixMs))}
</tbody>
</table>
</div>
</section>`;
}

function exportRow(row: ExportModel, nowUnixMs: number): Html {
  const { signal, to, state, queue, sent, dropped, lastSuccessUnixMs } = row;
  const where = html`<th scope="row" class="wide">${signal}<small class="under ${state === "ok" ? "" : "warn"}">${to === undefined ? "off" : shownName(to)}</small></th>`;
  if (to === undefined)
    return html`<tr>${where}<td class="none" colspan="4"></td></tr>
`;
  const waiting =
    queue === undefined
      ? html`<td class="none"></td>`
      : html`<td class="num" data-label="waiting">${formatCount(queue.records)}<small class="under">${formatBytes(queue.bytes)}, ${formatFill(queue.bytes, queue.maxBytes)} full</small></td>`;
  const last =
    lastSuccessUnixMs === undefined
      ? "never"
      : `${formatDuration(Math.max(0, nowUnixMs - lastSuccessUnixMs) / 1000)} ago`;
  return html`<tr>${[
    where,
    html`<td class="num" data-label="sent">${formatCount(sent)}</td>`,
    waiting,
    html`<td class="num ${dropped > 0 ? "bad" : ""}" data-label="dropped">${formatCount(dropped)}</td>`,
    html`<td class="num" data-label="last taken">${last}</td>`,
  ]}</tr>
`;
}
