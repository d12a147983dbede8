import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseBtf } from "../../src/btf/parse-btf.ts";
import { socketLayout } from "../../src/probe/socket-layout.ts";
import { BtfWriter } from "../support/btf-writer.ts";
import { KPROBE_KERNELS, kernelLayout } from "../support/kernels.ts";

test("socketLayout() finds the bits of icsk_ca_state and the places of kernel.md in the BTF of 6.18", () => {
  const btf = readFileSync(new URL("../fixtures/btf/linux-6.18.44-x86_64.btf", import.meta.url));
  const layout = socketLayout(parseBtf(btf));
  assert.deepEqual(layout?.caState, { offset: 1248, size: 1, shift: 0, width: 5 });
  assert.deepEqual(layout?.netInum, { offset: 176, size: 4 });
  assert.deepEqual(layout?.cbFlags, { offset: 12, size: 2 });
});

test("socketLayout() gives undefined where even the addresses are missing", () => {
  const writer = new BtfWriter();
  const u16 = writer.int("u16", 2);
  writer.struct("sock_common", 2, [{ name: "skc_family", type: u16, bits: 0 }]);
  assert.equal(socketLayout(parseBtf(writer.bytes())), undefined);
});

for (const kernel of KPROBE_KERNELS) {
  test(`socketLayout() of ${kernel} found every member that the probes fetch`, () => {
    const layout = kernelLayout(kernel);
    assert.equal(layout.caState?.width, 5);
    assert.equal(layout.cbFlags?.size, kernel === "7.2" ? 2 : 1, "tcp_flags has two bytes since 6.18");
    for (const place of Object.values(layout)) assert.ok(place.size > 0 && place.offset >= 0);
    assert.equal(Object.keys(layout).length, 36);
  });
}
