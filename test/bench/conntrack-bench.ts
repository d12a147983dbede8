/**
 * What look-ups in connection tracking cost with an empty table and with 100,000 entries, in a namespace of its own
 * (root; needs node:ffi): prints a table, or with `--json` one JSON object.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { ConntrackPair } from "../../src/host/conntrack-answer.ts";
import { type OpenHostConntrackOptions, openHostConntrack } from "../../src/host/open-host-conntrack.ts";
import { openLibc } from "../../src/syscall/libc.ts";
import { type Spread, show, spread } from "./bench-report.ts";
import { ConntrackTable } from "./conntrack-table.ts";

const ENTRIES = 100_000;
const ROUNDS = 7;
const LOOKUPS = 4000;
/** Pairs that no table here has. */
const UNKNOWN = Array.from({ length: LOOKUPS }, (_, i) => ({
  ...ConntrackTable.pair(i * 25),
  peerPort: 444,
}));
const KNOWN = Array.from({ length: LOOKUPS }, (_, i) => ConntrackTable.pair(i * 25));

interface Row {
  readonly what: string;
  readonly unit: string;
  readonly value: Spread;
  readonly digits: number;
}

const libc = openLibc();
if (libc === undefined) throw new Error("Cannot measure: this Node has no node:ffi");
setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");
await using table = await ConntrackTable.open(libc);
const rows: Row[] = [];

await lookups("netlink, no entry, empty table", UNKNOWN);
table.add(0, 1);
await lookups("netlink, translated, table of 1", new Array(LOOKUPS).fill(ConntrackTable.pair(0)));
table.add(1, ENTRIES - 1);
await lookups(`netlink, no entry, table of ${ENTRIES}`, UNKNOWN);
await lookups(`netlink, translated, table of ${ENTRIES}`, KNOWN);
await remembered();
await passes();
report();

/** Times look-ups that nothing remembers: entries last no time. */
async function lookups(what: string, pairs: readonly ConntrackPair[]): Promise<void> {
  using conntrack = await open({ libc, ages: { entry: 0, none: 0 } });
  const us = rounds(() => {
    for (const pair of pairs) conntrack.translation(pair);
    return pairs.length;
  });
  const { asked, found, none } = conntrack.counts;
  if (asked !== found + none) throw new Error(`Cannot measure: ${JSON.stringify(conntrack.counts)}`);
  rows.push({ what, unit: "µs", value: us, digits: 1 });
}

/** Times look-ups from memory, with texts made anew as each event brings them, and weighs the memory. */
async function remembered(): Promise<void> {
  collect();
  const before = process.memoryUsage().heapUsed;
  using conntrack = await open({ libc, ages: { entry: 1e9, none: 1e9 } });
  const count = 16_000;
  for (let i = 0; i < count; i++) conntrack.translation(ConntrackTable.pair(i));
  collect();
  const bytes = (process.memoryUsage().heapUsed - before) / conntrack.counts.cacheSize;
  const ns = rounds(() => {
    let made = 0;
    for (let i = 0; i < count; i += 4) made += conntrack.translation(fresh(i)) === undefined ? 0 : 1;
    if (made * 4 !== count) throw new Error(`Cannot measure: ${JSON.stringify(conntrack.counts)}`);
    return made;
  });
  const texts = rounds(() => {
    let made = 0;
    for (let i = 0; i < count; i += 4) made += fresh(i).peerPort;
    return made / 443;
  });
  const less = ({ median, min, max }: Spread) => ({
    median: (median - texts.median) * 1000,
    min: (min - texts.median) * 1000,
    max: (max - texts.median) * 1000,
  });
  rows.push({
    what: `remembered (${conntrack.counts.cacheSize} of them)`,
    unit: "ns",
    value: less(ns),
    digits: 0,
  });
  rows.push({ what: "memory of one", unit: "bytes", value: spread([bytes]), digits: 0 });
}

function fresh(index: number): ConntrackPair {
  return ConntrackTable.pair(index);
}

/** Times whole passes over the file: one wanted pair is in no line, so that each goes to the end. */
async function passes(): Promise<void> {
  using conntrack = await open({
    libc: undefined,
    ages: { none: 0 },
    proc: { minIntervalMs: 0, maxShare: 1e9 },
  });
  const total: number[] = [];
  const cpu: number[] = [];
  const blocks: number[] = [];
  const idle: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const asked = conntrack.counts.asked;
    for (const pair of KNOWN.slice(0, 99)) conntrack.translation({ ...pair, localPort: pair.localPort - 1 });
    conntrack.translation(UNKNOWN[0] as ConntrackPair);
    const watch = watchLoop();
    const start = performance.now();
    const before = process.cpuUsage();
    while (conntrack.counts.asked === asked) await sleep(1);
    const { user, system } = process.cpuUsage(before);
    blocks.push(watch.longest());
    total.push(performance.now() - start);
    cpu.push((user + system) / 1000);
    const quiet = watchLoop();
    await sleep(total.at(-1));
    idle.push(quiet.longest());
  }
  if (conntrack.counts.errors.cut + conntrack.counts.errors.unreadable > 0)
    throw new Error("Cannot measure: cut");
  rows.push({ what: `/proc, one pass over ${ENTRIES}`, unit: "ms", value: spread(total), digits: 0 });
  rows.push({ what: "its CPU", unit: "ms", value: spread(cpu), digits: 0 });
  rows.push({ what: "its longest block of the event loop", unit: "ms", value: spread(blocks), digits: 1 });
  rows.push({ what: "the same as long without a pass", unit: "ms", value: spread(idle), digits: 1 });
}

/** Notes how late a timer of 1 ms comes at the most: the machine's other load shows in it too. */
function watchLoop() {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last - 1);
    last = now;
  }, 1);
  return {
    longest() {
      clearInterval(timer);
      return longest;
    },
  };
}

function open(options: Partial<OpenHostConntrackOptions>) {
  return openHostConntrack({ procRoot: table.procRoot, libc: undefined, ...options });
}

/** µs of one, over rounds; the first compiles. */
function rounds(run: () => number): Spread {
  const us: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const start = performance.now();
    const count = run();
    us.push(((performance.now() - start) * 1000) / count);
  }
  return spread(us.slice(1));
}

function report(): void {
  if (process.argv.includes("--json")) {
    console.log(
      JSON.stringify(Object.fromEntries(rows.map(({ what, unit, value }) => [`${what}, ${unit}`, value]))),
    );
    return;
  }
  console.log("| look-up in connection tracking | median (least–most) | |\n| --- | ---: | --- |");
  for (const { what, unit, value, digits } of rows)
    console.log(`| ${what} | ${show(value, digits)} | ${unit} |`);
}
