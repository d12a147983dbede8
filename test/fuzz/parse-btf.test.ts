import { test } from "node:test";
import fc from "fast-check";
import { BTF_KIND } from "../../src/btf/btf-kind.ts";
import { locateMember } from "../../src/btf/locate-member.ts";
import { parseBtf } from "../../src/btf/parse-btf.ts";
import { BtfWriter } from "../support/btf-writer.ts";
import { FUZZ_RUNS, mutatedBytes } from "../support/fuzz.ts";

const SEEDS = [smallBtf(true), smallBtf(false)];
const PATHS = ["a", "inner.b", "flag", "grid", "deep"];

test("parseBtf() and locateMember() throw only SyntaxErrors on any change of a small blob", () => {
  fc.assert(fc.property(mutatedBytes(SEEDS), locateAll), FUZZ_RUNS);
});

function locateAll(bytes: Uint8Array): void {
  try {
    const btf = parseBtf(bytes);
    for (const path of PATHS) locateMember(btf, "s", path);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
}

function smallBtf(littleEndian: boolean): Uint8Array {
  const writer = new BtfWriter({ littleEndian });
  const int = writer.int("int", 4);
  const grid = writer.array(writer.array(int, 3), 2);
  const inner = writer.struct("inner", 8, [
    { name: "a", type: int, bits: 0 },
    { name: "b", type: writer.pointer(int), bits: 32 },
  ]);
  const alias = writer.type(BTF_KIND.TYPEDEF, "alias", writer.type(BTF_KIND.CONST, "", inner));
  const holder = writer.union("", 8, [
    { name: "", type: writer.struct("", 8, [{ name: "deep", type: int, bits: 32 }]), bits: 0 },
    { name: "flag", type: int, bits: 3, width: 2 },
  ]);
  writer.type(BTF_KIND.ENUM64, "e", 8, { vlen: 1, tail: [0, 1, 1] });
  writer.struct("s", 48, [
    { name: "inner", type: alias, bits: 0 },
    { name: "grid", type: grid, bits: 64 },
    { name: "", type: holder, bits: 256 },
  ]);
  writer.struct("s", 4, [{ name: "a", type: int, bits: 0 }]);
  return writer.bytes();
}
