import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type HealthServer, startHealthServer } from "../../src/agent/health-server.ts";
import { formatPage } from "../../src/export/page.ts";
import type { PageModel } from "../../src/export/page-model.ts";
import { refreshSeconds } from "../../src/export/page-refresh.ts";
import { BARE_PAGE, BUSY_PAGE, longNamesPage, QUIET_PAGE } from "../export/page-models.ts";
import { Chromium, type View } from "./chromium.ts";

/** Where screenshots are written to be looked at. */
const SHOTS = process.env["PAGE_SHOTS"] ?? join(import.meta.dirname, "../../dist/page");

const EVIL = '</td></title><script>document.title="ran"</script><img src="/metrics" onerror="alert(1)">';

const PAGES: Readonly<Record<string, PageModel>> = {
  busy: BUSY_PAGE,
  quiet: QUIET_PAGE,
  bare: BARE_PAGE,
  "long-names": longNamesPage(),
  hostile: longNamesPage((i) => (i % 2 === 0 ? EVIL : `${EVIL.repeat(3)}${i}`)),
};

const VIEWS: Readonly<Record<string, View>> = {
  "desktop-light": { width: 1280, height: 900, scheme: "light" },
  "desktop-dark": { width: 1280, height: 900, scheme: "dark" },
  "phone-light": { width: 390, height: 844, scheme: "light", phone: 2 },
  "phone-dark": { width: 390, height: 844, scheme: "dark", phone: 2 },
};

const INJECTED = `<!doctype html><title>as it was</title><p style="color:red">a<img src="/metrics"><style>p{color:red}</style>
<script>document.title = "ran"</script><script src="/metrics"></script>`;

let server: HealthServer;
let browser: Chromium;
/** Paths that the browser has asked for, beside the page. */
const asked: string[] = [];

before(async () => {
  await mkdir(SHOTS, { recursive: true });
  server = await startHealthServer({
    host: "127.0.0.1",
    port: 0,
    now: () => performance.now(),
    live: () => ({ ok: true, lines: [] }),
    ready: () => ({ ok: true, lines: [] }),
    metrics() {
      asked.push("/metrics");
      return "";
    },
    page: (search) =>
      search.endsWith("=injected")
        ? INJECTED
        : formatPage({ ...page(search), refreshSeconds: refreshSeconds(search) }),
    failed: (error) => assert.fail(String(error)),
    answered: () => {},
    limits: { costly: { burst: 1000, perSecond: 1000 } },
  });
  browser = await Chromium.start();
});

after(async () => {
  await browser[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

function page(search: string): PageModel {
  const found = PAGES[new URLSearchParams(search).get("page") ?? "busy"];
  if (found === undefined) throw new TypeError(`Cannot show: there is no page ${search}`);
  return found;
}

const WIDTHS = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]";
/** Elements that are wider than what they are in, without a way to see the rest. */
const CUT = `[...document.querySelectorAll("body *")].filter((e) =>
  e.getClientRects().length > 0 && !(e instanceof SVGElement) && !e.closest("thead") && e.scrollWidth > e.clientWidth + 1 &&
  getComputedStyle(e).display !== "inline").map((e) => e.outerHTML.slice(0, 120))`;

for (const name of Object.keys(PAGES)) {
  for (const [viewName, view] of Object.entries(VIEWS)) {
    test(`formatPage() of ${name} is whole in Chromium, ${viewName}: no complaint, nothing to scroll sideways`, async () => {
      asked.length = 0;
      const loaded = await browser.load(`${server.url}?page=${name}&refresh=0`, view);
      const shot = await loaded.screenshot();
      await writeFile(join(SHOTS, `${name}-${viewName}.png`), shot);
      assert.deepEqual(loaded.complaints, []);
      const [scrollWidth, clientWidth] = (await loaded.evaluate(WIDTHS)) as [number, number];
      assert.equal(clientWidth, view.width);
      assert.ok(scrollWidth <= clientWidth, `${scrollWidth} px wide`);
      assert.deepEqual(await loaded.evaluate(CUT), []);
      assert.equal(await loaded.evaluate("document.scripts.length + document.images.length"), 0);
      assert.deepEqual(asked, [], "it loads nothing else");
      const background = String(await loaded.evaluate("getComputedStyle(document.body).backgroundColor"));
      const [red = 0] = background.match(/\d+/g)?.map(Number) ?? [];
      assert.equal(red < 128, view.scheme === "dark", `the background is ${background}`);
    });
  }
}

test("formatPage() of hostile names shows them, and none of them does anything", async () => {
  const loaded = await browser.load(`${server.url}?page=hostile&refresh=0`, VIEWS["desktop-light"]!);
  assert.ok(String(await loaded.evaluate("document.body.textContent")).includes(EVIL));
  assert.match(String(await loaded.evaluate("document.title")), /^<\/td><\/title><script>/);
  assert.equal(await loaded.evaluate("document.querySelectorAll('tbody').length"), 5);
});

test("PAGE_POLICY lets nothing run, load or take another style, were it written into the page all the same", async () => {
  const loaded = await browser.load(`${server.url}?page=injected`, VIEWS["desktop-light"]!);
  assert.equal(await loaded.evaluate("document.title"), "as it was");
  assert.equal(await loaded.evaluate("getComputedStyle(document.querySelector('p')).color"), "rgb(0, 0, 0)");
  assert.deepEqual(asked, []);
  assert.ok(
    loaded.complaints.length >= 3,
    "what is blocked is complained of, so that the tests above would see it",
  );
});

test("formatPage() has text that is dark enough on its ground, by day and by night", async () => {
  for (const view of [VIEWS["desktop-light"]!, VIEWS["desktop-dark"]!]) {
    const loaded = await browser.load(`${server.url}?page=busy&refresh=0`, view);
    assert.deepEqual(await loaded.evaluate(FAINT), [], view.scheme);
  }
});

/** Texts of less contrast than 4.5:1 (WCAG 2.2, 1.4.3). */
const FAINT = `(() => {
  const light = (c) => { const [r, g, b] = c.match(/[\\d.]+/g).slice(0, 3).map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!/, 0\\)$/.test(c)) return c; } return "rgb(255,255,255)"; };
  return [...document.querySelectorAll("body *")].filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())).flatMap((e) => {
    const [a, b] = [light(getComputedStyle(e).color), light(ground(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    return ratio < 4.5 ? [ratio.toFixed(2) + " " + e.outerHTML.slice(0, 100)] : [];
  });
})()`;

test("formatPage() reloads by itself in Chromium, and stops when it is told to", async () => {
  const loaded = await browser.load(`${server.url}?page=quiet&refresh=1`, VIEWS["desktop-light"]!);
  await loaded.evaluate("document.body.id = 'first'");
  await loaded.until("document.readyState === 'complete' && document.body.id === ''");
  await loaded.evaluate("document.querySelector('a[href=\"?refresh=0\"]').click()");
  await loaded.until("document.body?.textContent.includes('reload by itself')");
  assert.equal(await loaded.evaluate("document.querySelector('meta[http-equiv]')"), null);
});
