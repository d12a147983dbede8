import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { stateName } from "../../src/export/attributes.ts";
import { tableFormatter, tableHeader } from "../../src/export/table.ts";
import { anEvent, EVERY_FIELD } from "./an-event.ts";
import { anEnd, PRICES_END, someEnds } from "./some-ends.ts";

const PERF_TOOLS = "%-8s %-6s %-20s %-2s %-20s %-12s\n";
const NOON = 12n * 3600n * 1_000_000_000n;
const utc = { wide: false, color: false, utcOffsetMinutes: () => 0 };

function printf(...words: readonly string[]): string {
  return execFileSync("printf", [PERF_TOOLS, ...words], { encoding: "utf8" });
}

test("tableHeader() is perf-tools' header", () => {
  const expected = printf("TIME", "PID", "LADDR:LPORT", "--", "RADDR:RPORT", "STATE");
  assert.equal(tableHeader({ wide: false }), expected);
  assert.equal(expected, "TIME     PID    LADDR:LPORT          -- RADDR:RPORT          STATE       \n");
});

const rows = [
  {
    name: "a retransmit",
    event: anEvent(),
    words: ["12:00:00", "3375", "10.150.18.225:53874", "R>", "10.105.152.3:6001", "ESTABLISHED"],
  },
  {
    name: "a tail loss probe",
    event: anEvent({ kind: "loss_probe", cause: "tail_loss_probe", pid: 0, socket: { state: 9 } }),
    words: ["12:00:00", "0", "10.150.18.225:53874", "L>", "10.105.152.3:6001", "LAST_ACK"],
  },
  {
    name: "a SYN-ACK over IPv6, wider than the columns",
    event: anEvent({
      pid: 4194304,
      socket: {
        state: 12,
        ipVersion: 6,
        localAddress: "2001:db8::1",
        peerAddress: "2001:db8:85a3:8d3:1319:8a2e:370:7348",
        localPort: 443,
        peerPort: 65535,
      },
    }),
    words: [
      "12:00:00",
      "4194304",
      "[2001:db8::1]:443",
      "R>",
      "[2001:db8:85a3:8d3:1319:8a2e:370:7348]:65535",
      "NEW_SYN_RECV",
    ],
  },
];
for (const { name, event, words } of rows) {
  test(`tableFormatter() prints ${name} as printf does`, () => {
    assert.equal(tableFormatter(utc)(event, NOON), printf(...words));
  });
}

test("tableFormatter() prints the time of day of the zone, second by second", () => {
  const format = tableFormatter({ ...utc, utcOffsetMinutes: (at) => (at < 43_201 ? 330 : -60) });
  assert.equal(format(anEvent(), NOON + 999_999_999n).slice(0, 9), "17:30:00 ");
  assert.equal(format(anEvent(), NOON + 1_000_000_000n).slice(0, 9), "11:00:01 ");
});

test("tableFormatter() prints the stack under its event, one function a line", () => {
  const names = new Map([
    [1n, "tcp_retransmit_skb"],
    [2n, "tcp_write_timer"],
  ]);
  const format = tableFormatter({ ...utc, stackNames: (stack) => stack.map((at) => names.get(at)!) });
  const [row, ...stack] = format(anEvent({ stack: [1n, 2n] }), NOON).split("\n");
  assert.ok(row!.endsWith("ESTABLISHED "));
  assert.deepEqual(stack, [" => tcp_retransmit_skb", " => tcp_write_timer", ""]);
  assert.equal(format(anEvent(), NOON).split("\n").length, 2, "an event without a stack is its row");
});

const wide = [
  {
    name: "every field",
    event: anEvent({ cause: "timeout", segments: 2, error: 0, socket: EVERY_FIELD }),
    tail: "timeout            2 sent               2     204    0.045    10",
  },
  {
    name: "nothing known as dashes",
    event: anEvent({ cause: "slow_start" }),
    tail: "slow_start         - sent               -       -        -     -",
  },
  {
    name: "a failure with its errno",
    event: anEvent({ outcome: "failed", error: -16, segments: 0, socket: { rto: 0.01234, srtt: 0.00152 } }),
    tail: "fast               0 failed:EBUSY       -    12.3     1.52     -",
  },
  {
    name: "a failure whose errno is not told",
    event: anEvent({ outcome: "failed", segments: 0, socket: { rto: 120, srtt: 0.0999 } }),
    tail: "fast               0 failed             -  120000     99.9     -",
  },
];
for (const { name, event, tail } of wide) {
  test(`tableFormatter() with wide prints ${name} behind the row`, () => {
    const narrow = tableFormatter(utc)(event, NOON);
    const format = tableFormatter({ ...utc, wide: true });
    assert.equal(format(event, NOON), `${narrow.trimEnd().padEnd(narrow.length - 1)} ${tail}\n`);
  });
}

test("tableHeader() with wide has each name over its column", () => {
  const header = tableHeader({ wide: true });
  const row = tableFormatter({ ...utc, wide: true })(
    anEvent({ cause: "tail_loss_probe", segments: 1, socket: EVERY_FIELD }),
    NOON,
  );
  assert.equal(header.length, row.length);
  assert.equal(header.indexOf("CAUSE"), row.indexOf("tail_loss_probe"));
  assert.equal(header.indexOf("OUTCOME"), row.indexOf("sent"));
  assert.equal(header.indexOf("CWND"), row.lastIndexOf("10") - 2);
});

test("tableFormatter() colours the wide columns only, and only when asked", () => {
  const failed = anEvent({ outcome: "failed" });
  const plain = tableFormatter({ ...utc, wide: true })(failed, NOON);
  const colored = tableFormatter({ ...utc, wide: true, color: true })(failed, NOON);
  assert.ok(!plain.includes("\u001b"));
  assert.equal(stripVTControlCharacters(colored), plain);
  assert.ok(colored.includes("\u001b[31mfast"));
  assert.ok(!tableFormatter({ ...utc, color: true })(failed, NOON).includes("\u001b"));
});

test("tableFormatter() with names prints both ends behind the row of perf-tools", () => {
  const format = tableFormatter({ ...utc, names: true });
  const narrow = tableFormatter(utc)(anEvent(), NOON).slice(0, -1);
  const deleted = { ...PRICES_END, hint: { kind: "pod_deleted", ageSeconds: 14.2 } as const };
  assert.equal(
    format(anEvent(), NOON, someEnds(deleted)),
    `${narrow} shop/cart-7d4f9c-x2x           svc shop/prices (shop/nightly-29000-abcde) [pod deleted 14 s ago]\n`,
  );
  assert.equal(
    format(anEvent(), NOON, { ownership: "undetermined", local: anEnd(), peer: anEnd() }),
    `${narrow} unknown?                       unknown\n`,
  );
  assert.equal(format(anEvent(), NOON), `${narrow} -                              -\n`);
});

test("tableFormatter() without names prints none, whatever it is given", () => {
  assert.equal(tableFormatter(utc)(anEvent(), NOON, someEnds()), tableFormatter(utc)(anEvent(), NOON));
});

test("tableFormatter() prints the stack under a row with names", () => {
  const format = tableFormatter({ ...utc, names: true, stackNames: () => ["tcp_retransmit_skb"] });
  assert.ok(format(anEvent({ stack: [1n] }), NOON, someEnds()).endsWith("-abcde)\n => tcp_retransmit_skb\n"));
});

for (const isWide of [false, true]) {
  test(`tableHeader() with names has them over their columns, wide ${isWide}`, () => {
    const options = { wide: isWide, names: true };
    const header = tableHeader(options);
    const row = tableFormatter({ ...utc, ...options })(anEvent({ segments: 1 }), NOON, someEnds());
    assert.ok(header.startsWith(tableHeader({ wide: isWide }).trimEnd()));
    assert.equal(header.indexOf("SOURCE"), row.indexOf("shop/cart"));
    assert.equal(header.indexOf("DESTINATION"), row.indexOf("svc shop/prices"));
    assert.ok(header.endsWith(" DESTINATION\n"));
  });
}

test("stateName() gives the kernel's names, UNKNOWN for a number without one", () => {
  assert.deepEqual([1, 3, 12, 13].map(stateName), ["ESTABLISHED", "SYN_RECV", "NEW_SYN_RECV", "UNKNOWN"]);
});
