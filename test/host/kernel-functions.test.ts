import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { readKernelFunctions } from "../../src/host/kernel-functions.ts";

/** Lines as 6.18 has them: padding before functions, parts of a function elsewhere, two names for one address. */
const KALLSYMS = `ffffffff81000000 T _text
ffffffff81b00000 t __pfx_tcp_ack
ffffffff81b00010 t tcp_ack
ffffffff81b01000 T tcp_retransmit_timer
ffffffff81b01000 T tcp_alias
ffffffff81b01800 t __pfx_tcp_write_timer
ffffffff81b01810 t tcp_write_timer
ffffffff81c00000 t tcp_retransmit_timer.part.0
ffffffff81c00040 t tcp_retransmit_timer_of_another_kind
ffffffff82000000 d tcp_write_timer
ffffffffc0001000 t tcp_module	[module]
`;
const NAMES = ["tcp_retransmit_timer", "tcp_write_timer"];

function read(t: TestContext, text: string) {
  const procRoot = mkdtempSync(join(tmpdir(), "kallsyms-"));
  t.after(() => rmSync(procRoot, { recursive: true }));
  writeFileSync(join(procRoot, "kallsyms"), text);
  return readKernelFunctions({ procRoot }, NAMES);
}

const CASES = [
  { name: "the first byte of a function", address: 0xffffffff81b01000n, function: "tcp_retransmit_timer" },
  { name: "its last byte", address: 0xffffffff81b017ffn, function: "tcp_retransmit_timer" },
  { name: "the padding behind it", address: 0xffffffff81b01800n, function: undefined },
  {
    name: "a function that begins where another name's ends",
    address: 0xffffffff81b01811n,
    function: "tcp_write_timer",
  },
  { name: "a part that stands elsewhere", address: 0xffffffff81c00001n, function: "tcp_retransmit_timer" },
  { name: "a longer name", address: 0xffffffff81c00041n, function: undefined },
  { name: "data of that name", address: 0xffffffff82000000n, function: undefined },
  { name: "a function that was not asked for", address: 0xffffffff81b00011n, function: undefined },
];

for (const { name, address, function: expected } of CASES) {
  test(`readKernelFunctions() names ${name} ${expected ?? "no function"}`, (t) => {
    const named = read(t, KALLSYMS)?.resolve(address);
    assert.equal(
      NAMES.find((known) => known === named),
      expected,
    );
  });
}

test("readKernelFunctions() gives undefined where addresses are hidden, where none is known, and without the file", (t) => {
  assert.equal(read(t, KALLSYMS.replaceAll(/^[0-9a-f]+/gm, "0000000000000000")), undefined);
  assert.equal(read(t, "ffffffff81000000 T _text\n"), undefined);
  assert.equal(readKernelFunctions({ procRoot: "/nowhere" }, NAMES), undefined);
});
