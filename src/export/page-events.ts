import { ARROW, type Html, html } from "./html.ts";
import type { EventRow, PageModel } from "./page-model.ts";
import { shownName } from "./page-name.ts";
import { formatCount, formatMoment } from "./page-words.ts";

/** The last events, the latest first. */
export function eventsSection({ activity, nowUnixMs }: PageModel): Html {
  const { last } = activity;
  const named = last.some(({ source }) => source !== undefined);
  return html`<section>
<h2>Last events <small>times are UTC</small></h2>
<div class="card">
<table class="fold">
<thead><tr><th scope="col">Time</th><th scope="col">Source ${ARROW} destination</th><th scope="col">Cause</th><th scope="col" class="num">Segments</th><th scope="col">Outcome</th>${
    named ? html`<th scope="col">Addresses</th>` : undefined
  }</tr></thead>
<tbody>
${last.map((row) => eventRow(row, { named, nowUnixMs }))}
</tbody>
</table>
</div>
</section>`;
}

interface RowOptions {
  /** Some row has names. */
  readonly named: boolean;
  readonly nowUnixMs: number;
}

function eventRow(row: EventRow, { named, nowUnixMs }: RowOptions): Html {
  const { unixMs, cause, segments, source, destination } = row;
  const addresses = html`<span class="${row.sourceAddress.startsWith("[") ? "ip6" : "ip4"}"><span>${row.sourceAddress}</span> ${ARROW} <span>${row.destinationAddress}</span></span>`;
  const ends =
    source === undefined || destination === undefined
      ? addresses
      : html`${shownName(source)} <span class="to">${ARROW}</span> ${shownName(destination)}`;
  const cells = [
    html`<td class="fix"><time datetime="${new Date(unixMs).toISOString()}">${formatMoment(unixMs, nowUnixMs, { millis: true })}</time></td>`,
    html`<td class="wide later">${ends}</td>`,
    html`<td class="fix">${cause}</td>`,
    html`<td class="num" data-label="segments">${segments === undefined ? "?" : formatCount(segments)}</td>`,
    html`<td class="fix ${row.failed ? "bad" : "soft"}">${row.outcome}</td>`,
    named
      ? html`<td class="wide later soft">${source === undefined ? undefined : addresses}</td>`
      : undefined,
  ];
  return html`<tr>${cells}</tr>
`;
}
