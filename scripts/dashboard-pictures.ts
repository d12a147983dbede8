/**
 * Draws the dashboards' data to docs/images: every panel's queries are run against a Prometheus and drawn by a plain renderer, not by
 * Grafana. `PROMTOOL=… PROMETHEUS=… node scripts/dashboard-pictures.ts` draws a made history of a cluster; with a URL of a
 * Prometheus, a directory and a number of minutes as its arguments what that has of the last minutes.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { labProgram } from "../test/support/lab-programs.ts";
import { serveHistory } from "../test/support/prometheus.ts";
import { syntheticHistory } from "../test/support/synthetic-history.ts";
import { BAD_NODE, MINUTES } from "../test/support/synthetic-traffic.ts";
import { DASHBOARDS } from "./dashboards/all-dashboards.ts";
import { dashboardHtml, PAGE_WIDTH, pageHeight } from "./pictures/page-html.ts";
import { palettePng } from "./pictures/palette-png.ts";

const IMAGES = join(import.meta.dirname, "../docs/images");
const MAX_BYTES = 250 * 1024;

/** What each picture is of, in the made history. */
const CHOSEN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "workload.json": { namespace: "shop", workload: "checkout" },
  "node.json": { node: BAD_NODE },
};

const NOT_GRAFANA = "drawn by a plain renderer, not by Grafana";

interface Drawing {
  readonly chosen: typeof CHOSEN;
  readonly note: string;
  readonly rangeSeconds: number;
  readonly rateInterval: string;
  readonly images: string;
}

const [given, directory = IMAGES, minutes = "60"] = process.argv.slice(2);
await (given === undefined ? drawMadeHistory() : drawNow(given));

async function drawMadeHistory(): Promise<void> {
  const promtool = labProgram("promtool");
  const prometheus = labProgram("prometheus");
  if (promtool === undefined || prometheus === undefined)
    throw new Error("Cannot draw the dashboards: set PROMTOOL and PROMETHEUS");
  const end = Date.UTC(2026, 0, 1, 1) / 1000; // always the same, so that pictures are
  const start = end - MINUTES * 60;
  const rules = join(import.meta.dirname, "../charts/tcpretrans/rules/recording.yaml");
  const history = syntheticHistory(end);
  await using server = await serveHistory({ promtool, prometheus, history, start, end, rules });
  const range = { rangeSeconds: 3600, rateInterval: "2m", images: IMAGES };
  await draw(server.url, end, { chosen: CHOSEN, note: `${NOT_GRAFANA}, from a made history`, ...range });
}

async function drawNow(url: string): Promise<void> {
  const range = { rangeSeconds: Number(minutes) * 60, rateInterval: "1m", images: resolve(directory) };
  await draw(url, Math.floor(Date.now() / 1000), { chosen: {}, note: NOT_GRAFANA, ...range });
}

async function draw(url: string, end: number, { chosen, images, ...drawing }: Drawing): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "tcpretrans-pictures-"));
  try {
    for (const [file, source] of Object.entries(DASHBOARDS)) {
      const variables = chosen[file] ?? {};
      const scope = { url, end, variables, ...drawing };
      const html = await dashboardHtml(source, scope);
      const page = join(directory, `${basename(file, ".json")}.html`);
      writeFileSync(page, html);
      const image = join(images, `dashboard-${basename(file, ".json")}.png`);
      screenshot(page, { image, height: pageHeight(source) });
      writeFileSync(image, palettePng(readFileSync(image)));
      const { size } = statSync(image);
      if (size > MAX_BYTES) throw new Error(`Cannot keep ${image}: ${size} bytes are more than ${MAX_BYTES}`);
      console.log(`${image}: ${Math.round(size / 1024)} KiB`);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function screenshot(
  page: string,
  { image, height }: { readonly image: string; readonly height: number },
): void {
  execFileSync(
    "chromium",
    [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--hide-scrollbars",
      `--window-size=${PAGE_WIDTH},${height}`,
      `--screenshot=${image}`,
      `file://${page}`,
    ],
    { stdio: "ignore" },
  );
}
