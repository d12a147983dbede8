import { CAUSES } from "../event/tcp-event.ts";
import { ARROW, type Html, html } from "./html.ts";
import { shareBar } from "./page-bars.ts";
import type { ActivityModel, Counted, PairRow } from "./page-model.ts";
import { shownName } from "./page-name.ts";
import { CAUSE_WORDS, formatCount, formatDuration } from "./page-words.ts";

/** Causes that a row names; the rest is in the table of causes. */
const MAX_CAUSES = 3;

/** Who retransmits to whom. */
export function pairsSection({ pairs, otherPairs }: ActivityModel): Html {
  if (pairs.length === 0) return html``;
  const stood = pairs.some(({ total }) => total.stallSeconds > 0);
  const others =
    otherPairs.pairs === 0
      ? undefined
      : html`<p class="note">${formatCount(otherPairs.pairs)} more ${
          otherPairs.pairs === 1 ? "pair" : "pairs"
        }, with ${formatCount(otherPairs.segments)} segments since the start.</p>`;
  return html`<section>
<h2>Who retransmits to whom</h2>
<div class="card">
<table class="fold">
<thead><tr><th scope="col">Source ${ARROW} destination</th><th scope="col" class="num">Last 5 min</th><th scope="col" class="num">Since start</th><th scope="col">Causes</th>${
    stood ? html`<th scope="col" class="num">Stood still</th>` : undefined
  }</tr></thead>
<tbody>
${pairs.map((pair) => pairRow(pair, stood))}
</tbody>
</table>
${others}
</div>
</section>`;
}

function pairRow({ source, destination, recent, total }: PairRow, stood: boolean): Html {
  const shown = recent.segments + recent.failed > 0 ? recent : total;
  return html`<tr><th scope="row" class="wide">${shownName(source)} <span class="to">${ARROW}</span> ${shownName(destination)}</th>${[
    html`<td class="num" data-label="5 min">${segments(recent)}</td>`,
    html`<td class="num" data-label="since start">${segments(total)}</td>`,
    html`<td class="${shown === recent ? "" : "soft"}">${causes(shown)}</td>`,
    stood ? stall(shown) : undefined,
  ]}</tr>
`;
}

function segments({ segments: count, failed }: Counted): Html {
  if (count === 0 && failed === 0) return html`<span class="soft">0</span>`;
  return html`${formatCount(count)}`;
}

function causes({ causes: all, failed }: Counted): readonly Html[] {
  const words = all
    .slice(0, MAX_CAUSES)
    .map(([cause, count]) => html`<span class="fix">${cause} ${formatCount(count)}</span>`);
  if (all.length > MAX_CAUSES) words.push(html`<span class="fix">${all.length - MAX_CAUSES} more</span>`);
  if (failed > 0) words.push(html`<span class="fix bad">failed ${formatCount(failed)}</span>`);
  return words.map((word, i) => (i === 0 ? word : html`<span class="to">, </span>${word}`));
}

function stall({ stallSeconds }: Counted): Html {
  if (stallSeconds === 0) return html`<td class="num none"></td>`;
  return html`<td class="num warn" data-label="stood still">${formatDuration(stallSeconds)}</td>`;
}

/** Why segments were sent again. */
export function causesSection({ recent, total }: ActivityModel): Html {
  const recently = new Map(recent.causes);
  const known = new Map(total.causes);
  const rows = CAUSES.filter((cause) => known.has(cause)).sort(
    (a, b) => (recently.get(b) ?? 0) - (recently.get(a) ?? 0) || (known.get(b) ?? 0) - (known.get(a) ?? 0),
  );
  return html`<section>
<h2>Why</h2>
<div class="card">
<table class="fold">
<thead><tr><th scope="col">Cause</th><th scope="col" class="num">Last 5 min</th><th scope="col" class="num">Since start</th><th scope="col"><span class="soft">Share of the last 5 min</span></th><th scope="col">What it means</th></tr></thead>
<tbody>
${rows.map((cause) => {
  const count = recently.get(cause) ?? 0;
  return html`<tr><th scope="row" class="fix">${cause}</th><td class="num" data-label="5 min">${formatCount(count)}</td><td class="num" data-label="since start">${formatCount(known.get(cause) ?? 0)}</td><td class="share none">${shareBar(count, recent.segments)}</td><td class="soft wide">${CAUSE_WORDS[cause]}</td></tr>
`;
})}
</tbody>
</table>
${failedNote(total)}
</div>
</section>`;
}

function failedNote({ failed }: Counted): Html | undefined {
  if (failed === 0) return undefined;
  return html`<p class="note">${formatCount(failed)} more ${failed === 1 ? "attempt" : "attempts"} failed: the kernel tried to send and could not.</p>`;
}
