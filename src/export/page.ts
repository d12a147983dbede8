import { type Html, html, trusted } from "./html.ts";
import { rateBars } from "./page-bars.ts";
import { coverageSection, coverageTile } from "./page-coverage.ts";
import { eventsSection } from "./page-events.ts";
import { exportsSection } from "./page-exports.ts";
import type { HealthPart, PageModel } from "./page-model.ts";
import { shownName } from "./page-name.ts";
import { causesSection, pairsSection } from "./page-pairs.ts";
import { PAGE_STYLE } from "./page-style.ts";
import { formatCount, formatDuration, formatMoment, formatRate } from "./page-words.ts";

/** The page for people: what this node sees now, without scripts and without anything from elsewhere. */
export function formatPage(model: PageModel): string {
  const { node = "this host", refreshSeconds, activity } = model;
  const refresh =
    refreshSeconds === 0 ? undefined : html`<meta http-equiv="refresh" content="${refreshSeconds}">`;
  const happened = activity.events > 0;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${node}: TCP retransmits</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${refresh}
<link rel="icon" href="${ICON}">
<style>${trusted(PAGE_STYLE)}</style>
</head>
<body>
${header(model)}
<main>
${tiles(model)}
${parts(model.parts)}
${happened ? [pairsSection(activity), causesSection(activity)] : nothingYet(model)}
<div class="two">${coverageSection(model)}${exportsSection(model)}</div>
${happened ? eventsSection(model) : undefined}
</main>
${FOOTER}
</body>
</html>
`.text;
}

/** Two arrows, one of them sent again. */
const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='3' fill='%231d57a8'/%3E%3Cpath d='M3 6h9m-3-3 3 3-3 3M3 11h5' fill='none' stroke='%23fff' stroke-width='1.6'/%3E%3C/svg%3E";

const FOOTER = html`<footer><span>Also here:</span><a href="metrics">/metrics</a><a href="readyz">/readyz</a><a href="livez">/livez</a></footer>`;

function header(model: PageModel): Html {
  const { node = "this host", cluster, version, nowUnixMs, startedUnixMs, refreshSeconds } = model;
  const reload =
    refreshSeconds === 0
      ? html`<a href=".">reload by itself</a>`
      : html`reloads every ${refreshSeconds} s, <a href="?refresh=0">stop</a>`;
  const upSeconds = (nowUnixMs - startedUnixMs) / 1000;
  return html`<header>
<div class="top"><h1>${shownName(node)}${cluster === undefined ? undefined : html` <small>in ${shownName(cluster)}</small>`}</h1>${overall(model)}</div>
<div class="top soft"><p>${formatMoment(nowUnixMs, nowUnixMs)} UTC, ${reload}</p><p>tcpretrans ${version}, up ${formatDuration(upSeconds)}</p></div>
</header>`;
}

function overall({ ready, parts: all }: PageModel): Html {
  const less = all.filter(({ state }) => state !== "ok").length;
  if (!ready) return html`<p class="state bad">Not ready</p>`;
  if (less === 0) return html`<p class="state good">All is well</p>`;
  return html`<p class="state warn">Works, with ${less} ${less === 1 ? "restriction" : "restrictions"}</p>`;
}

function tiles(model: PageModel): Html {
  const { activity, startedUnixMs, nowUnixMs } = model;
  const { perSecond, rates, recent, total } = activity;
  const most = formatRate(Math.max(...rates, 0));
  const label = `Events a second in the last five minutes, at most ${most}`;
  const stall =
    recent.stallSeconds === 0 ? "" : `, connections stood still for ${formatDuration(recent.stallSeconds)}`;
  return html`<dl class="tiles">
<div class="tile"><dt>Now</dt><dd><b>${formatRate(perSecond)} <span>events/s</span></b>${rateBars(rates, label)}</dd></div>
<div class="tile"><dt>Last 5 minutes</dt><dd><b>${formatCount(recent.segments)}</b><span class="soft">segments sent again, ${failures(recent.failed)}${stall}</span></dd></div>
<div class="tile"><dt>Since ${formatMoment(startedUnixMs, nowUnixMs)} UTC</dt><dd><b>${formatCount(total.segments)}</b><span class="soft">segments sent again, ${failures(total.failed)}</span></dd></div>
${coverageTile(model)}
</dl>`;
}

function failures(count: number): string {
  if (count === 0) return "no attempt failed";
  return `${formatCount(count)} ${count === 1 ? "attempt" : "attempts"} failed`;
}

function parts(all: readonly HealthPart[]): Html | undefined {
  const less = all.filter(({ state }) => state !== "ok");
  if (less.length === 0) return undefined;
  return html`<section>
<h2>What is not as it should be</h2>
<ul class="parts">
${less.map(
  ({ name, state, sentence, remedy }) => html`<li class="${state}"><b>${name}</b>: ${sentence}.${
    remedy === undefined ? undefined : html` <span class="soft">${remedy}.</span>`
  }</li>
`,
)}
</ul>
</section>`;
}

function nothingYet({ startedUnixMs, nowUnixMs }: PageModel): Html {
  return html`<section>
<h2>Nothing has been retransmitted yet</h2>
<div class="card pad">
<p>No connection of this node has sent a segment again since ${formatMoment(startedUnixMs, nowUnixMs)} UTC. TCP does so only where a segment or its acknowledgement is lost, so on a quiet network this is how it should look.</p>
<p class="soft">To see one: <code>curl -m 5 http://192.0.2.1/</code> on this node or in a pod on it. That address is nobody's, so on most networks nothing answers, and the SYN is sent again after one second.</p>
</div>
</section>`;
}
