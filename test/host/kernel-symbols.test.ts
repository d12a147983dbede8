import assert from "node:assert/strict";
import { test } from "node:test";
import { KernelSymbols } from "../../src/host/kernel-symbols.ts";

test("KernelSymbols.fromList() resolves a recording's exact addresses in any order", () => {
  const symbols = KernelSymbols.fromList([
    [0xffffffff82018b00n, "tcp_ack"],
    [0xffffffff81000010n, "common_startup_64"],
  ]);
  assert.equal(symbols.resolve(0xffffffff82018b00n), "tcp_ack");
  assert.equal(symbols.resolve(0xffffffff81000010n), "common_startup_64");
});

test("KernelSymbols.resolve() counts what the cache's bound pushes out and still answers", () => {
  const symbols = KernelSymbols.fromList([[0x1000n, "a"]]);
  for (let offset = 0n; offset < 5000n; offset++) assert.equal(symbols.resolve(0x1000n + offset), "a");
  assert.equal(symbols.evictions, 5000 - 4096);
});
