import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ConntrackLookup } from "../../src/enrich/lookups.ts";
import type { HostConntrack } from "../../src/host/conntrack.ts";
import { type OpenHostConntrackOptions, openHostConntrack } from "../../src/host/open-host-conntrack.ts";
import { readConntrackText, readExchange } from "../support/conntrack-exchange.ts";

const { pair: OPENER } = readExchange("6.18-ipv4-opener");
const { pair: OPENER6 } = readExchange("6.18-ipv6-opener");
const BACKEND = { address: "10.66.2.2", port: 8080, side: "backend" };
const BACKEND6 = { address: "fd00:66:2::2", port: 8080, side: "backend" };
const nth = (n: number) => ({ ...OPENER, localPort: n });

test("HostConntrack.translation() says that an answer comes, and gives it from memory then", async (t) => {
  const { conntrack } = await open(t);
  assert.equal(conntrack.way, "proc");
  for (const pair of [OPENER, OPENER, OPENER6, nth(1)]) assert.equal(conntrack.translation(pair), "pending");
  await answered(conntrack, 3);
  assert.deepEqual(conntrack.translation(OPENER), BACKEND);
  assert.deepEqual(conntrack.translation(OPENER6), BACKEND6);
  assert.equal(conntrack.translation(nth(1)), undefined);
  const { asked, found, untranslated, none, remembered, cacheSize, evictions } = conntrack.counts;
  assert.deepEqual({ asked, found, untranslated, none }, { asked: 3, found: 2, untranslated: 0, none: 1 });
  assert.deepEqual({ remembered, cacheSize, evictions }, { remembered: 3, cacheSize: 3, evictions: 0 });
});

test("HostConntrack.translation() asks again when an answer is too old, for none sooner", async (t) => {
  const { conntrack, clock } = await open(t, { ages: { entry: 1000, none: 100, refresh: 1000 } });
  for (const pair of [OPENER, nth(1)]) conntrack.translation(pair);
  await answered(conntrack, 2);
  clock.ms += 99;
  assert.equal(conntrack.translation(nth(1)), undefined);
  clock.ms += 1;
  assert.equal(conntrack.translation(nth(1)), "pending");
  clock.ms += 899;
  assert.deepEqual(conntrack.translation(OPENER), BACKEND);
  clock.ms += 1;
  assert.equal(conntrack.translation(OPENER), "pending");
  await answered(conntrack, 4);
  assert.deepEqual(conntrack.translation(OPENER), BACKEND);
});

test("HostConntrack.translation() goes on giving an answer while it is asked for anew", async (t) => {
  const { conntrack, clock, file } = await open(t, { ages: { entry: 1000, none: 1000, refresh: 500 } });
  conntrack.translation(OPENER);
  await answered(conntrack, 1);
  writeFileSync(file, readConntrackText().replaceAll("src=10.66.2.2 ", "src=10.66.2.9 "));
  clock.ms += 500;
  assert.deepEqual(conntrack.translation(OPENER), BACKEND);
  await answered(conntrack, 2);
  assert.deepEqual(conntrack.translation(OPENER), { ...BACKEND, address: "10.66.2.9" });
  rmSync(file);
  clock.ms += 600;
  conntrack.translation(OPENER);
  await answered(conntrack, 3);
  assert.equal(conntrack.counts.errors.unreadable, 1);
  assert.deepEqual(
    conntrack.translation(OPENER),
    { ...BACKEND, address: "10.66.2.9" },
    "an error replaces nothing",
  );
});

test("HostConntrack.translation() never asks for loopback", async (t) => {
  const { conntrack } = await open(t);
  const loopback = { ...OPENER, localAddress: "127.0.0.1", peerAddress: "127.0.0.1" };
  assert.equal(conntrack.translation(loopback), undefined);
  assert.equal(conntrack.translation({ ...OPENER6, localAddress: "::1", peerAddress: "::1" }), undefined);
  assert.equal(conntrack.counts.asked, 0);
});

test("HostConntrack.translation() counts addresses that are none", async (t) => {
  const { conntrack } = await open(t);
  assert.equal(conntrack.translation({ ...OPENER, peerAddress: "host" }), undefined);
  assert.equal(conntrack.counts.errors.bad_address, 1);
});

test("ProcConntrack makes one pass for all requests, and none without requests or sooner than it may", async (t) => {
  const { conntrack } = await open(t, { proc: { minIntervalMs: 150 } });
  await sleep(60);
  for (let n = 1; n <= 100; n++) conntrack.translation(nth(n));
  const start = performance.now();
  await answered(conntrack, 100);
  assert.equal(conntrack.translation(nth(101)), "pending");
  await answered(conntrack, 101);
  assert.ok(performance.now() - start >= 150);
  const { passes, lines, stale } = conntrack.counts.source;
  assert.deepEqual([passes, lines, stale], [2, 2 * readConntrackText().split("\n").length, 0]);
  assert.equal(conntrack.counts.none, 101);
});

test("ProcConntrack leaves unanswered what more than its bounds would take", async (t) => {
  const many = await open(t, { proc: { maxWaiting: 2 } });
  assert.deepEqual(
    [1, 2, 3].map((n) => many.conntrack.translation(nth(n))),
    ["pending", "pending", undefined],
  );
  assert.equal(many.conntrack.counts.errors.too_many, 1);

  const long = await open(t, { proc: { maxBytes: 1 } });
  writeFileSync(long.file, `${"x".repeat(70_000)}\n${readConntrackText()}`);
  long.conntrack.translation(OPENER);
  await answered(long.conntrack, 1);
  assert.equal(long.conntrack.counts.errors.cut, 1);

  const slow = await open(t, { proc: { maxPassMs: -1 } });
  slow.conntrack.translation(OPENER);
  await answered(slow.conntrack, 1);
  assert.equal(slow.conntrack.counts.errors.cut, 1);
});

test("ProcConntrack finds lines that two reads share, and the last one without its end", async (t) => {
  const { conntrack, file } = await open(t);
  const text = readConntrackText().trimEnd();
  const opener6 = text.split("\n").find((line) => line.includes(`sport=${OPENER6.localPort} `)) ?? "";
  const filler = `${"ipv4     2 udp      17 29 ".padEnd(99, "x")}\n`;
  // The line with the entry lies across the first 64 KiB.
  writeFileSync(file, `${filler.repeat(655)}${opener6}\n${filler.repeat(655)}${text}`);
  for (const pair of [OPENER6, OPENER]) conntrack.translation(pair);
  await answered(conntrack, 2);
  assert.deepEqual([conntrack.translation(OPENER6), conntrack.translation(OPENER)], [BACKEND6, BACKEND]);
});

test("openHostConntrack() without netlink says so, and names what is missing of the file", async (t) => {
  const { conntrack, root, file } = await open(t);
  assert.match(
    conntrack.note ?? "",
    /^Translated addresses are told late, from .*: this Node has no node:ffi/,
  );
  rmSync(file);
  using without = openHostConntrack({ procRoot: root, libc: undefined });
  assert.equal(without.way, "none");
  assert.match(without.note ?? "", /there is no .*nf_conntrack .*CONFIG_NF_CONNTRACK_PROCFS/);
  assert.equal(without.translation(OPENER), undefined);
});

test("HostConntrack[Symbol.dispose]() ends what waits", async (t) => {
  const { conntrack } = await open(t);
  conntrack.translation(OPENER);
  conntrack[Symbol.dispose]();
  await sleep(60);
  assert.equal(conntrack.counts.asked, 0);
  assert.equal(conntrack.translation(nth(1)), undefined);
});

/** Connection tracking from a file with a router's table, on a clock that stands still. */
async function open(t: TestContext, options: Partial<OpenHostConntrackOptions> = {}) {
  const root = mkdtempSync(join(tmpdir(), "conntrack-"));
  t.after(() => rmSync(root, { recursive: true }));
  const file = join(root, "1/net/nf_conntrack");
  mkdirSync(join(root, "1/net"), { recursive: true });
  writeFileSync(file, readConntrackText());
  const clock = { ms: 0 };
  const now = options.proc?.minIntervalMs === undefined ? () => clock.ms : () => performance.now();
  const proc = { minIntervalMs: 1, maxShare: 1, ...options.proc };
  const conntrack = openHostConntrack({ procRoot: root, libc: undefined, now, ...options, proc });
  t.after(() => conntrack[Symbol.dispose]());
  const lookup: ConntrackLookup = conntrack; // the contract is met
  assert.ok(lookup);
  return { conntrack, clock, root, file };
}

async function answered(conntrack: HostConntrack, count: number): Promise<void> {
  while (conntrack.counts.asked < count) await sleep(2);
}
