import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { ATTRIBUTES as KEYS } from "../../src/export/attributes.ts";
import { LossyLink } from "../support/lossy-link.ts";
import { type End, Program } from "../support/program.ts";

/** What each port of the link does to its connections. */
const PORT = { random: 7001, slow: 7002, fast: 7003, closed: 7004, synAck: 7005, tail: 7006 } as const;
const FAMILIES = ["ipv4", "ipv6"] as const;
const KINDS = [...FAMILIES, "mapped"] as const;

/** Packets of a port that carry data. */
const data = (port: number) => `tcp dport ${port} meta length > 200`;
/** numgen counts the packets that come as far as to it: exactly so many are dropped. */
const first = (count: number) => `numgen inc mod 1000000 < ${count} drop`;
const SYN_ACK = "tcp flags & (syn|ack) == syn|ack";

const AT_SERVER = [
  `${data(PORT.random)} numgen random mod 100 < 5 drop`,
  `tcp dport ${PORT.closed} drop`,
  ...FAMILIES.flatMap((family) => [
    // The whole first window, its loss probe and two timeouts.
    `meta nfproto ${family} ${data(PORT.slow)} ${first(13)}`,
    `meta nfproto ${family} ${data(PORT.fast)} numgen inc mod 1000000 == 20 drop`,
    `meta nfproto ${family} ${data(PORT.tail)} ${first(3)}`,
  ]),
];
const AT_CLIENT = FAMILIES.map(
  (family) => `meta nfproto ${family} tcp sport ${PORT.synAck} ${SYN_ACK} ${first(2)}`,
);

type Row = Readonly<Record<string, unknown>>;

/** Programs that trace the same load at the same time, with options of their own. */
const programs: Record<string, Program> = {};
const ends: Record<string, End> = {};
let link: LossyLink;

before(async () => {
  link = await LossyLink.open({
    ports: [PORT.random, PORT.slow, PORT.fast, PORT.synAck, PORT.tail],
    atServer: AT_SERVER,
    atClient: AT_CLIENT,
  });
  const own = link.ranges.flatMap((range) => ["--local", range]);
  const [, range6 = ""] = link.ranges;
  const noFfi = { env: { TCPRETRANS_NO_FFI: "1" } };
  const starting: Record<string, Promise<Program>> = {
    all: Program.tracing(["--json", "-l", "-s", ...own]),
    noFfi: Program.tracing(["--json", "-l", ...own], noFfi),
    plain: Program.tracing(own, noFfi),
    stacks: Program.tracing(["-l", "-s", ...own]),
    wide: Program.tracing(["--wide", "-l", "--color", ...own]),
    summary: Program.tracing(["--summary", "--json", ...own], noFfi),
    byPort: Program.tracing(["--json", "-l", ...own, "--port", String(PORT.closed)]),
    byTypes: Program.tracing(["--json", ...own, "--type", "syn_ack", "--type", "slow_start"]),
    byStateAndRange: Program.tracing(["--json", "--state", "syn_sent", "--remote", range6]),
    counted: Program.tracing([...own, "--count", "3"]),
    verified: Program.tracing(["--verify", "--summary"]),
  };
  // All of them are waited for, so that none is left behind where one does not start.
  await Promise.allSettled(Object.values(starting));
  for (const [name, program] of Object.entries(starting)) programs[name] = await program;
  await makeLoad();
  await link.quiet();
  for (const [name, program] of Object.entries(programs)) ends[name] = await program.stop();
});

after(async () => {
  for (const program of Object.values(programs)) await program[Symbol.asyncDispose]();
  await link[Symbol.asyncDispose]();
});

async function makeLoad(): Promise<void> {
  const asked = KINDS.flatMap((kind) => {
    const host = link.address(kind);
    const anyKind = [
      link.ask({ host, port: PORT.random, connections: 3, bytes: 100_000 }),
      link.ask({ host, port: PORT.closed, connections: 3 }),
    ];
    if (kind === "mapped") return anyKind;
    return [
      ...anyKind,
      link.ask({ host, port: PORT.slow, bytes: 200_000 }),
      link.ask({ host, port: PORT.fast, bytes: 100_000 }),
      link.ask({ host, port: PORT.synAck, bytes: 100 }),
      link.ask({ host, port: PORT.tail, bytes: 1000 }),
    ];
  });
  await Promise.all(asked);
}

function rowsOf(name: string): readonly Row[] {
  return programs[name]!.lines.map((line) => JSON.parse(line));
}

/** Rows with certain values. */
function withValues(rows: readonly Row[], values: Row): readonly Row[] {
  return rows.filter((row) => Object.entries(values).every(([key, value]) => row[key] === value));
}

/** How many rows are of the types, and sent. */
function sent(rows: readonly Row[], ...types: readonly string[]): number {
  const ofTypes = rows.filter(
    (row) => types.length === 0 || types.includes(String(row[KEYS.retransmitType])),
  );
  return withValues(ofTypes, { [KEYS.outcome]: "sent" }).length;
}

/**
 * So many rows are of one of the types. On this rung the stack names the cause, and now and then the kernel records
 * none for what interrupts an idle CPU: such a row is `other`, and no row with a stack is.
 */
function assertNamed(rows: readonly Row[], types: readonly string[], count: number): void {
  const [named, other] = [sent(rows, ...types), withValues(rows, { [KEYS.retransmitType]: "other" })];
  assert.ok(other.every((row) => row[KEYS.kernelStack] === undefined));
  assert.ok(
    named <= count && count <= named + other.length,
    `${named} ${types}, ${other.length} other, not ${count}`,
  );
}

/** What a program prints of a row in perf-tools' format, but the time. */
function tableRow(row: Row): string {
  const end = (address: unknown, port: unknown) =>
    row[KEYS.networkType] === "ipv6" ? `[${address}]:${port}` : `${address}:${port}`;
  const local = end(row[KEYS.sourceAddress], row[KEYS.sourcePort]);
  const peer = end(row[KEYS.destinationAddress], row[KEYS.destinationPort]);
  const packet = row[KEYS.eventName] === "tcp.loss_probe" ? "L>" : "R>";
  const [pid, state] = [String(row[KEYS.pid]), String(row[KEYS.tcpState])];
  return `${pid.padEnd(6)} ${local.padEnd(20)} ${packet} ${peer.padEnd(20)} ${state.padEnd(12)}`;
}

function withoutTime(line: string): string {
  assert.match(line, /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d /);
  return line.slice(9);
}

/** A row as another program sees it: clocks are read by each, and only some ask for stacks. */
function content(row: Row): string {
  const { [KEYS.timestamp]: _time, [KEYS.kernelStack]: _stack, ...rest } = row;
  return JSON.stringify(rest);
}

const HEADER = "TIME     PID    LADDR:LPORT          -- RADDR:RPORT          STATE       ";

test("tcpretrans sees every retransmit that the kernel counted, SYN-ACKs and loss probes included", () => {
  const rows = rowsOf("all");
  assert.ok(rows.length > 60);
  assert.equal(sent(rows), link.count("RetransSegs") - link.count("TCPRetransFail"));
});

test("tcpretrans names each cause as often as the kernel counted it", () => {
  const rows = rowsOf("all");
  assertNamed(rows, ["fast", "reordering"], link.count("TCPFastRetrans"));
  assertNamed(rows, ["slow_start", "mtu"], link.count("TCPSlowStartRetrans"));
  assert.equal(sent(rows, "syn", "syn_ack"), link.count("TCPSynRetrans"));
  assert.ok(sent(rows, "tail_loss_probe") <= link.count("TCPLossProbes"));
  assert.ok(sent(rows, "timeout", "syn") <= link.count("TCPTimeouts"));
});

for (const family of FAMILIES) {
  test(`tcpretrans shows what was done on purpose to ${family} connections`, () => {
    const rows = withValues(rowsOf("all"), { [KEYS.networkType]: family });
    const to = (port: number) => withValues(rows, { [KEYS.destinationPort]: port });
    // On a machine that stands still for longer than RTO_MIN timers expire beyond those that were asked for.
    // Ten segments, and three of the retransmits that were lost again.
    assert.ok(sent(to(PORT.slow)) >= 13);
    assert.ok(sent(to(PORT.slow), "slow_start", "other") >= 1);
    assert.ok(sent(to(PORT.slow), "timeout", "other") >= 2);
    assert.ok(sent(to(PORT.fast), "fast", "reordering", "other") >= 1);
    assert.ok(sent(to(PORT.tail)) >= 3);
    assert.ok(sent(to(PORT.closed)) > 0);
    assert.equal(sent(to(PORT.closed), "syn"), to(PORT.closed).length);
    const synAcks = withValues(rows, { [KEYS.sourcePort]: PORT.synAck });
    assert.ok(sent(synAcks, "syn_ack") >= 2);
    assert.ok(synAcks.every((row) => row[KEYS.tcpState] === "NEW_SYN_RECV"));
  });
}

test("tcpretrans shows v4-mapped sockets as IPv4", () => {
  const ports = withValues(rowsOf("all"), {
    [KEYS.networkType]: "ipv4",
    [KEYS.destinationPort]: PORT.closed,
  });
  // Three connections of each kind: half of the six are v4-mapped.
  assert.equal(new Set(ports.map((row) => row[KEYS.sourcePort])).size, 6);
  assert.ok(rowsOf("all").every((row) => !String(row[KEYS.sourceAddress]).includes("ffff:")));
});

test("tcpretrans without node:ffi sees the same", () => {
  assert.deepEqual(rowsOf("noFfi").map(content).sort(), rowsOf("all").map(content).sort());
});

test("tcpretrans prints perf-tools' columns, R> alone without -l, and counts what it leaves out", () => {
  const { lines, stderr } = programs["plain"]!;
  const isShown = (row: Row) => row[KEYS.eventName] === "tcp.retransmit" && row[KEYS.outcome] === "sent";
  const [shown, hidden] = [rowsOf("all").filter(isShown), rowsOf("all").filter((row) => !isShown(row))];
  assert.equal(lines[0], HEADER);
  assert.deepEqual(lines.slice(-2), ["", "Ending tracing..."]);
  assert.deepEqual(lines.slice(1, -2).map(withoutTime).sort(), shown.map(tableRow).sort());
  const probes = withValues(hidden, { [KEYS.eventName]: "tcp.loss_probe" }).length;
  // A probe whose stack the kernel did not record is `other` here, and an R> row like any.
  const unnamed = withValues(shown, { [KEYS.retransmitType]: "other" }).length;
  assert.ok(probes + unnamed > 0, "a loss probe was made");
  const words = new RegExp(`^Not shown: ${probes} tail loss probes? \\(add -l\\)`, "m");
  if (probes > 0) assert.match(stderr, words);
  else assert.doesNotMatch(stderr, /tail loss probe/);
});

test("tcpretrans -l -s prints loss probes as L> and a kernel stack under each row", () => {
  const lines = programs["stacks"]!.lines.slice(1, -2);
  const rows = rowsOf("all").filter((row) => row[KEYS.outcome] === "sent");
  const isFrame = (line: string) => line.startsWith(" => ");
  assert.deepEqual(
    lines
      .filter((line) => !isFrame(line))
      .map(withoutTime)
      .sort(),
    rows.map(tableRow).sort(),
  );
  const without = lines.filter((line, index) => !isFrame(line) && !isFrame(lines[index + 1] ?? "")).length;
  assert.ok(
    without <=
      rows.filter((row) => ["other", "syn", "syn_ack"].includes(String(row[KEYS.retransmitType]))).length,
  );
  for (const line of lines) assert.match(line, isFrame(line) ? /^ => [A-Za-z_][\w.]*$/ : / (R|L)> /);
});

test("tcpretrans --wide adds cause and outcome, in colours when told", () => {
  const [header, ...lines] = programs["wide"]!.lines.slice(0, -2);
  assert.equal(header, `${HEADER} CAUSE           SEGS OUTCOME        RETRY RTO(ms) SRTT(ms)  CWND`);
  const wide = (row: Row) => `${tableRow(row)} ${String(row[KEYS.retransmitType]).padEnd(15)} `;
  const got = lines.map((line) => withoutTime(stripVTControlCharacters(line)));
  assert.ok(
    lines.some((line) => line.includes("\x1b[")),
    "no colour",
  );
  const rows = rowsOf("all").map((row) => ({ start: wide(row), outcome: String(row[KEYS.outcome]) }));
  assert.equal(got.length, rows.length);
  for (const { start, outcome } of rows) {
    assert.ok(
      got.some((line) => line.startsWith(start) && line.slice(start.length).match(`^ {3}[-01] ${outcome}`)),
      start,
    );
  }
});

test("tcpretrans --summary adds up what the events are", () => {
  const rows = rowsOf("summary");
  const total = (type: string) =>
    withValues(rows, { [KEYS.retransmitType]: type })[0]?.[KEYS.summarySegments] ?? 0;
  for (const type of ["fast", "slow_start", "timeout", "syn", "syn_ack", "tail_loss_probe"]) {
    assert.equal(total(type), sent(rowsOf("all"), type), type);
  }
});

test("tcpretrans prints only what the filters ask for", () => {
  const all = rowsOf("all");
  const same = (name: string, isAskedFor: (row: Row) => boolean) => {
    assert.ok(all.some(isAskedFor), `nothing to filter for ${name}`);
    assert.deepEqual(rowsOf(name).map(content).sort(), all.filter(isAskedFor).map(content).sort());
  };
  same("byPort", (row) => row[KEYS.destinationPort] === PORT.closed);
  same("byTypes", ({ [KEYS.retransmitType]: type }) => type === "syn_ack" || type === "slow_start");
  same("byStateAndRange", (row) => row[KEYS.networkType] === "ipv6" && row[KEYS.tcpState] === "SYN_SENT");
});

test("tcpretrans --count ends after so many rows", () => {
  const { lines } = programs["counted"]!;
  assert.equal(lines.length, 1 + 3 + 2);
  assert.deepEqual(ends["counted"], { code: 0, signal: null });
});

test("tcpretrans ends with 0 and says nothing of losses where there was none", () => {
  for (const [name, end] of Object.entries(ends)) assert.deepEqual(end, { code: 0, signal: null }, name);
  for (const { stderr } of Object.values(programs)) assert.doesNotMatch(stderr, /^(Lost|Gaps|Not decoded)/m);
});

test("tcpretrans --verify reconciles with the kernel's counters", () => {
  const { stdout } = programs["verified"]!;
  assert.match(stdout, /^RetransSegs .* reconciles/m);
  assert.match(stdout, /^TCPSynRetrans .* reconciles/m);
  assert.match(stdout, /^All that can be checked reconciles/m);
});

test("tcpretrans prints 23 R> rows for 23 retransmits of one segment, and RetransSegs is 23", async () => {
  const plan = [
    ...KINDS.map((kind, index) => ({ kind, port: 7101 + index, times: 4 })),
    ...KINDS.map((kind, index) => ({ kind, port: 7201 + index, times: kind === "mapped" ? 3 : 4 })),
  ];
  await using exact = await LossyLink.open({
    ports: plan.map(({ port }) => port),
    atServer: plan.map(({ port, times }) => `${data(port)} ${first(times)}`),
    sysctls: { tcp_early_retrans: 0 }, // no loss probes: a timeout each
  });
  const own = exact.ranges.flatMap((range) => ["--remote", range]);
  await using table = await Program.tracing(own);
  await using json = await Program.tracing(["--json", "-s", ...own], { env: { TCPRETRANS_NO_FFI: "1" } });
  await Promise.all(
    plan.map(({ kind, port }) => exact.ask({ host: exact.address(kind), port, bytes: 1000 })),
  );
  await exact.quiet();
  assert.deepEqual(await table.stop(), { code: 0, signal: null });
  await json.stop();
  assert.equal(exact.count("RetransSegs"), 23);
  assert.equal(table.lines.filter((line) => line.includes(" R> ")).length, 23);
  const rows: readonly Row[] = json.lines.map((line) => JSON.parse(line));
  assert.equal(rows.length, 23);
  assertNamed(rows, ["timeout"], 23);
});
