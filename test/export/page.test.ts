import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { formatPage } from "../../src/export/page.ts";
import type { PageModel } from "../../src/export/page-model.ts";
import { PAGE_POLICY } from "../../src/export/page-style.ts";
import { BARE_PAGE, BUSY_PAGE, counted, longNamesPage, QUIET_PAGE } from "./page-models.ts";

/** The text of a page as a reader has it. */
function read(model: PageModel): string {
  return formatPage(model)
    .replace(/<style>.*<\/style>/s, "")
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/[\s\u00a0]+/g, " ");
}

test("formatPage() says what this node sees now", () => {
  const text = read(BUSY_PAGE);
  for (const words of [
    "node-a in prod-eu-1",
    "Works, with 3 restrictions",
    "02:14:05 UTC, reloads every 5 s, stop",
    "tcpretrans 0.1.0, up 2 d 4 h",
    "Now 41 events/s",
    "Last 5 minutes 573 segments sent again, 3 attempts failed, connections stood still for 108 s",
    "99.99 % 1,241,302 of 1,241,306 segments, since the start",
    "names: nodes : Cannot list nodes",
    "Find what uses /sys/kernel/tracing on this node if that goes on.",
    "shop/cart-7d4f9c6b5-x2xkq → payments/ledger-0 435 18,204 timeout 214 , slow_start 171 , tail_loss_probe 38 , 1 more 83 s",
    "214 more pairs, with 4,418 segments since the start.",
    "not seen: records overwritten in the ring buffer before they were read 3",
    "logs otlp/grpc collector.monitoring:4317 840,000 61,204 10.9 MiB, 35 % full 0 2 min ago",
    "traces off",
    "02:14:03.382 search/indexer-5c9d8f7b4-mm8qz → node node-b [node not ready for 3 min] syn 0 failed: EHOSTUNREACH 10.244.1.21:53878 → 10.244.2.13:8443",
  ])
    assert.ok(text.includes(words), `it does not say: ${words}\n${text}`);
  assert.ok(!text.includes("records without sense"), "what is 0 is not told");
});

test("formatPage() says of a node on which nothing has happened how to see something", () => {
  const text = read(QUIET_PAGE);
  assert.ok(text.includes("All is well"));
  assert.ok(text.includes("Nothing has been retransmitted yet"));
  assert.ok(text.includes("since 02:10:53 UTC"));
  assert.ok(text.includes("none when the counters were last read"));
  assert.ok(text.includes("curl -m 5 http://192.0.2.1/"));
  assert.ok(text.includes("Nothing is sent: no OTLP endpoint is set."));
  assert.ok(!text.includes("Last events"));
});

test("formatPage() of a host without names has addresses, and says what its rung cannot tell", () => {
  const text = read(BARE_PAGE);
  for (const words of [
    "this host",
    "≈ 86.74 %",
    "Not seen: attempts that failed: needs kprobe, or Linux 6.17",
    "These are an estimate: this rung cannot tell how many segments an event has.",
    "02:14:05.130 10.244.1.17:53874 → 10.244.2.9:8443 timeout ? sent",
  ])
    assert.ok(text.includes(words), `it does not say: ${words}\n${text}`);
});

test("formatPage() says so where it is not ready, and where the counters have not been read", () => {
  const text = read({
    ...BUSY_PAGE,
    ready: false,
    coverage: undefined,
    capture: { rung: undefined, blind: [] },
  });
  assert.ok(text.includes("Not ready"));
  assert.ok(text.includes("the counters have not been read twice yet"));
  assert.ok(text.includes("counters : how many segments each network namespace sent again"));
});

test("formatPage() reloads by itself unless it is asked not to", () => {
  assert.match(formatPage(BUSY_PAGE), /<meta http-equiv="refresh" content="5">/);
  const still = formatPage({ ...BUSY_PAGE, refreshSeconds: 0 });
  assert.doesNotMatch(still, /http-equiv/);
  assert.match(still, /<a href="\.">reload by itself<\/a>/);
});

test("formatPage() shows a pair whose attempts all failed, and no column of stalls where none is known", () => {
  const only = { source: "a/b", destination: "c/d", recent: counted([]), total: counted([], { failed: 1 }) };
  const text = read({ ...BUSY_PAGE, activity: { ...BUSY_PAGE.activity, pairs: [only], total: only.total } });
  assert.ok(text.includes("a/b → c/d 0 0 failed 1"), text);
  assert.ok(text.includes("1 more attempt failed: the kernel"), text);
  assert.ok(!text.includes("Stood still"));
});

test("formatPage() stays small with a hundred of the longest names", () => {
  assert.ok(formatPage(longNamesPage()).length < 120_000);
});

test("formatPage() has one style sheet, which PAGE_POLICY allows by its hash, and nothing that runs or loads", () => {
  const page = formatPage(BUSY_PAGE);
  const sheets = [...page.matchAll(/<style>(.*?)<\/style>/gs)];
  assert.equal(sheets.length, 1);
  const hash = createHash("sha256")
    .update(sheets[0]?.[1] ?? "")
    .digest("base64");
  assert.ok(PAGE_POLICY.includes(`style-src 'sha256-${hash}'`));
  assert.doesNotMatch(page, /<script|<iframe|<object|<form|<img|\sstyle=|\son\w+=|javascript:|@import/i);
  const links = [...page.matchAll(/\s(?:href|src)="([^"]*)"/g)].map((match) => match[1] ?? "");
  assert.deepEqual(
    links.filter((link) => !link.startsWith("data:image/svg+xml,")),
    ["?refresh=0", "metrics", "readyz", "livez"],
  );
});

/** A text of each string in a model; keys stay, and what is chosen from a closed set. */
function withTexts(model: PageModel, text: () => string): PageModel {
  const CLOSED = ["rung", "cause", "state", "kind", "signal"];
  const change = (value: unknown, key: string): unknown => {
    if (typeof value === "string") return CLOSED.includes(key) ? value : text();
    if (key === "causes") return value;
    if (Array.isArray(value)) return value.map((each) => change(each, key));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, change(each, name)]));
  };
  return change(model, "") as PageModel;
}

/** Tags in order, with their attributes' names: what the text between and within them cannot change. */
function structure(page: string): readonly string[] {
  return [...page.matchAll(/<[^>]*>/g)].map(([tag]) => tag.replaceAll(/="[^"]*"/g, ""));
}

test("formatPage() keeps every text a text: no name, address or sentence can become anything else", () => {
  const hostile = fc.constantFrom(
    "</td><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style><style>*{display:none}",
    "</title></head><body onload=alert(1)>",
    "<!--",
    "-->",
    "]]><![CDATA[",
    "&lt;b&gt;",
    "\u202e\u2066evil",
    "`",
    "=",
  );
  const long = hostile.map((text) => text.repeat(100));
  const text = fc.oneof(
    hostile,
    long,
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.string({ maxLength: 20 }),
  );
  const models = [BUSY_PAGE, BARE_PAGE, { ...BUSY_PAGE, refreshSeconds: 0 }];
  fc.assert(
    fc.property(
      fc.constantFrom(...models),
      fc.array(text, { minLength: 1, maxLength: 8 }),
      (model, texts) => {
        let next = 0;
        const page = formatPage(withTexts(model, () => texts[next++ % texts.length] ?? ""));
        let same = 0;
        const calm = (of: string) => (of.startsWith("[") ? "[" : "") + "a".repeat([...of].length);
        const plain = formatPage(withTexts(model, () => calm(texts[same++ % texts.length] ?? "")));
        assert.deepEqual(structure(page), structure(plain));
      },
    ),
  );
});
