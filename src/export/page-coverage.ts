import { DASH, type Html, html } from "./html.ts";
import type { CoverageModel, CoveredModel, PageModel } from "./page-model.ts";
import { formatCount, formatShare, RUNG_WORDS } from "./page-words.ts";

/** How much of the kernel's own count was seen, in one number. */
export function coverageTile({ coverage }: PageModel): Html {
  const { number, words } = headline(coverage);
  return html`<div class="tile"><dt>Seen of what the kernel counted</dt><dd><b>${number}</b><span class="soft">${words}</span></dd></div>`;
}

function headline(coverage: CoverageModel | undefined): { readonly number: Html; readonly words: string } {
  if (coverage === undefined)
    return { number: html`${DASH}`, words: "the counters have not been read twice yet" };
  const { seen, kernel } = coverage.segments;
  if (kernel === 0 && seen === 0)
    return { number: html`${DASH}`, words: "none when the counters were last read" };
  const words = `${formatCount(seen)} of ${formatCount(kernel)} segments, since the start`;
  const about = coverage.estimate === undefined ? "" : "≈ ";
  const tone = seen >= kernel ? "good" : coverage.estimate === undefined ? "warn" : "";
  return { number: html`<em class="${tone}">${about}${share({ seen, kernel })}</em>`, words };
}

/** What is seen and what is not, and where the rest went. */
export function coverageSection({ capture, coverage }: PageModel): Html {
  const rung = capture.rung ?? "counters";
  const blind =
    capture.blind.length === 0
      ? html`<p class="soft">No other rung sees more.</p>`
      : html`<p>Not seen:</p><ul class="blind">${capture.blind.map((what) => html`<li>${what}</li>`)}</ul>`;
  return html`<section>
<h2>What is seen</h2>
<div class="card">
<div class="pad"><p><b>${rung}</b>: ${RUNG_WORDS[rung]}.</p>${blind}</div>
${coverage === undefined ? undefined : coverageTable(coverage)}
</div>
</section>`;
}

function coverageTable({ segments, lossProbes, estimate, lost }: CoverageModel): Html {
  const gone = lost.filter(({ count }) => count > 0);
  return html`<table class="fold">
<thead><tr><th scope="col">Since the start</th><th scope="col" class="num">Seen</th><th scope="col" class="num">By the kernel</th><th scope="col" class="num">Share</th></tr></thead>
<tbody>
${coverageRow("segments sent again", segments)}
${coverageRow("tail loss probes that sent something", lossProbes)}
${gone.map(({ what, count }) => html`<tr class="lost"><td>not seen: ${what}</td><td class="num">${formatCount(count)}</td><td class="none" colspan="2"></td></tr>`)}
</tbody>
</table>
${estimate === undefined ? undefined : html`<p class="note">These are an estimate: ${estimate}.</p>`}`;
}

function coverageRow(what: string, covered: CoveredModel): Html {
  return html`<tr><th scope="row" class="wide">${what}</th><td class="num" data-label="seen">${formatCount(covered.seen)}</td><td class="num" data-label="of">${formatCount(covered.kernel)}</td><td class="num">${share(covered)}</td></tr>`;
}

function share({ seen, kernel }: CoveredModel): string {
  return kernel === 0 ? DASH : formatShare(seen, kernel);
}
