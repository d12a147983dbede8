import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ProcConntrack } from "../../src/host/conntrack-proc.ts";
import { readConntrackText, readExchange } from "../support/conntrack-exchange.ts";

const { pair: FIRST } = readExchange("6.18-ipv4-opener");
const { pair: SECOND } = readExchange("6.18-ipv6-opener");

test("ProcConntrack.ask() begins no pass before its time, even as the one before it finds the last that it wants", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "conntrack-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, "nf_conntrack");
  writeFileSync(file, readConntrackText());
  const now = () => performance.now();
  const { promise: second, resolve } = Promise.withResolvers<number>();
  let firstMs = 0;
  using source: ProcConntrack = new ProcConntrack(file, {
    now,
    minIntervalMs: 300,
    onAnswer: (pair, answer) => {
      assert.equal(answer.kind, "entry");
      if (pair.ipVersion === 6) return resolve(now());
      firstMs = now();
      source.ask(SECOND);
    },
  });
  source.ask(FIRST);
  // The source's own timers keep no process.
  const held = setTimeout(() => resolve(0), 60_000);
  const gapMs = (await second) - firstMs;
  clearTimeout(held);
  assert.ok(gapMs >= 290, `${gapMs} ms`);
});
