import assert from "node:assert/strict";
import { test } from "node:test";
import { shownName } from "../../src/export/page-name.ts";
import { refreshSeconds } from "../../src/export/page-refresh.ts";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatFill,
  formatMoment,
  formatRate,
  formatShare,
} from "../../src/export/page-words.ts";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

test("formatCount() and formatRate() group thousands; a small rate has tenths", () => {
  assert.equal(formatCount(1234567), "1,234,567");
  assert.deepEqual([0, 0.04, 0.3, 9.94, 9.96, 12345.6].map(formatRate), [
    "0",
    "0.0",
    "0.3",
    "9.9",
    "10",
    "12,346",
  ]);
});

test("formatDuration() takes the two largest units, and tenths of few seconds", () => {
  assert.deepEqual(
    [0, 0.44, 9.96, 41, 119, 125, 7199, 7200, 11_100, 187_000, 8_640_000].map((seconds) =>
      plain(formatDuration(seconds)),
    ),
    ["0 s", "0.4 s", "10 s", "41 s", "119 s", "2 min", "2 h", "2 h", "3 h 5 min", "2 d 4 h", "100 d"],
  );
});

test("formatShare() never says all where something is missing", () => {
  assert.equal(plain(formatShare(999_999, 1_000_000)), "99.99 %");
  assert.equal(plain(formatShare(5, 5)), "100 %");
  assert.equal(plain(formatShare(6, 5)), "120 %");
  assert.equal(plain(formatShare(0, 5)), "0.00 %");
});

test("formatBytes() never says nothing where something is", () => {
  assert.deepEqual(
    [0, 1, 1024, 11_411_000].map((bytes) => plain(formatBytes(bytes))),
    ["0", "1 KiB", "1 KiB", "10.9 MiB"],
  );
});

test("formatFill() never says nothing where something is, nor more than there is", () => {
  assert.deepEqual(
    [0, 1, 999, 1000].map((part) => plain(formatFill(part, 1000))),
    ["0 %", "1 %", "100 %", "100 %"],
  );
});

test("formatMoment() says the date where it is another day", () => {
  const now = Date.UTC(2026, 10, 26, 0, 0, 1);
  assert.equal(formatMoment(now, now), "00:00:01");
  assert.equal(formatMoment(now - 2345, now, { millis: true }), "2026-11-25 23:59:58.655");
});

test("shownName() keeps the beginning and the end of a very long name, and says all of it", () => {
  assert.equal(shownName("n".repeat(96)).text, "n".repeat(96));
  const long = `shop/${"p".repeat(253)}-x2xkq`;
  const { text } = shownName(long);
  assert.match(text, /^<span title="shop\/p{253}-x2xkq">shop\/p+…p+-x2xkq<\/span>$/);
  assert.equal([...text.replaceAll(/<[^>]*>/g, "")].length, 95);
});

test("refreshSeconds() reads what an address asks for, and takes nothing that is no number of seconds", () => {
  const cases = { "": 5, "?refresh=0": 0, "?refresh=30": 30, "?a=b&refresh=2": 2, "?refresh=9999": 3600 };
  for (const [search, seconds] of Object.entries(cases))
    assert.equal(refreshSeconds(search), seconds, search);
  for (const search of ["?refresh=", "?refresh=-1", "?refresh=1e3", "?refresh=0;url=//evil.example", "?%"])
    assert.equal(refreshSeconds(search), 5, search);
});
