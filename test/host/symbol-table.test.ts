import assert from "node:assert/strict";
import { test } from "node:test";
import { findSymbol, type SymbolTable, SymbolTableBuilder } from "../../src/host/symbol-table.ts";

function tableOf(symbols: readonly (readonly [address: bigint, name: string])[]): SymbolTable {
  const builder = new SymbolTableBuilder();
  for (const [address, name] of symbols) builder.addName(address, name);
  return builder.finish();
}

test("SymbolTableBuilder.finish() sorts by both halves of the addresses", () => {
  const addresses = [0xffffffff_81000000n, 0x1_00000000n, 0xffffffff_80ffffffn, 0x2_00000000n, 0x10n];
  const table = tableOf(addresses.map((address, index) => [address, `f${index}`]));
  assert.deepEqual([...table.highs], [0, 1, 2, 0xffffffff, 0xffffffff]);
  assert.deepEqual([...table.lows], [0x10, 0, 0, 0x80ffffff, 0x81000000]);
  for (const [index, address] of addresses.entries()) assert.equal(findSymbol(table, address), `f${index}`);
});

test("SymbolTableBuilder.finish() gives columns no longer than what they hold", () => {
  const table = tableOf([
    [0x20n, "two"],
    [0x10n, "one"],
  ]);
  assert.deepEqual([table.highs.length, table.nameEnds.length, table.names.toString()], [2, 2, "twoone"]);
});

const LEFT_OUT = [
  { name: "padding in front of a function", symbol: "__pfx_tcp_ack" },
  { name: "the padding of kCFI", symbol: "__cfi_tcp_ack" },
  { name: "what begins with a dollar", symbol: "$x.1" },
];
for (const { name, symbol } of LEFT_OUT) {
  test(`SymbolTableBuilder.addName() leaves out ${name}`, () => {
    const table = tableOf([
      [0x1000n, "before"],
      [0x1010n, symbol],
      [0x1020n, "tcp_ack"],
    ]);
    assert.equal(table.highs.length, 2);
    assert.equal(findSymbol(table, 0x1014n), "before");
    assert.equal(findSymbol(table, 0x1020n), "tcp_ack");
  });
}

test("SymbolTableBuilder.addName() cuts a name at its first dot, but not at one that it begins with", () => {
  const table = tableOf([
    [0x1000n, "tcp_ack.isra.0"],
    [0x2000n, ".text.cold"],
  ]);
  assert.equal(findSymbol(table, 0x1000n), "tcp_ack");
  assert.equal(findSymbol(table, 0x2000n), ".text");
});

test("SymbolTableBuilder takes more symbols and longer names than it has room for at first", () => {
  const symbols = Array.from({ length: 10_000 }, (_, index) => {
    const name = `a_function_with_a_long_name_${index}`;
    return [BigInt(10_000 - index) << 24n, name] as const;
  });
  const table = tableOf([...symbols, [1n, "x".repeat(400_000)]]);
  for (const [address, name] of symbols) assert.equal(findSymbol(table, address), name);
  assert.equal(findSymbol(table, 1n)?.length, 400_000);
});

test("findSymbol() gives the first of several names for one address, in any order of addresses", () => {
  const symbols = [
    [0x2000n, "first"],
    [0x2000n, "second"],
    [0x1000n, "lower"],
    [0x2000n, "third"],
  ] as const;
  const table = tableOf(symbols);
  assert.equal(findSymbol(table, 0x2000n), "first");
  assert.equal(findSymbol(table, 0x2008n), "first");
  assert.equal(findSymbol(table, 0x1fffn), "lower");
});

test("findSymbol() gives nothing below the first symbol, a MiB and more past the last, and in an empty table", () => {
  const table = tableOf([[0x1_fffff000n, "only"]]);
  assert.equal(findSymbol(table, 0x1_ffffefffn), undefined);
  assert.equal(findSymbol(table, 0x2_000ff000n), "only");
  assert.equal(findSymbol(table, 0x2_000ff001n), undefined);
  assert.equal(findSymbol(tableOf([]), 0x1000n), undefined);
});
