import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseKernelSymbols, readKernelSymbols } from "../../src/host/kallsyms.ts";
import type { KernelSymbols } from "../../src/host/kernel-symbols.ts";

/** From a 6.18 kernel, with a module's and a data symbol. */
const KALLSYMS = `0000000000000000 A fixed_percpu_data
ffffffff81000000 T _stext
ffffffff82014e80 T __pfx_tcp_getsockopt
ffffffff82014e90 T tcp_getsockopt
ffffffff82014e90 t tcp_getsockopt_alias
ffffffff82017ff0 t tcp_xmit_retransmit_queue.part.0
ffffffff82018a00 t tcp_ack.isra.0
ffffffff82018f00 t tcp_clean_rtx_queue.constprop.0.cold
ffffffff82019000 D sysctl_tcp_mem
ffffffff82019100 W tcp_weak
ffffffffc0a01000 t nf_late\t[nf_tables]
ffffffffc0a00000 t nf_early\t[nf_tables]
`;

function parse(text: string, chunkBytes = text.length): KernelSymbols | undefined {
  const bytes = Buffer.from(text);
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) chunks.push(bytes.subarray(at, at + chunkBytes));
  return parseKernelSymbols(chunks);
}

const cases: readonly { name: string; address: bigint; expected: string | undefined }[] = [
  { name: "the first byte of a function", address: 0xffffffff82014e90n, expected: "tcp_getsockopt" },
  { name: "an address inside one", address: 0xffffffff82014eb4n, expected: "tcp_getsockopt" },
  {
    name: "a .part.0 function by its plain name",
    address: 0xffffffff82018000n,
    expected: "tcp_xmit_retransmit_queue",
  },
  { name: "an .isra.0 function by its plain name", address: 0xffffffff82018a01n, expected: "tcp_ack" },
  {
    name: "a .constprop.0.cold function by its plain name",
    address: 0xffffffff82018f10n,
    expected: "tcp_clean_rtx_queue",
  },
  { name: "a weak function", address: 0xffffffff82019100n, expected: "tcp_weak" },
  {
    name: "the function before a data symbol",
    address: 0xffffffff82019010n,
    expected: "tcp_clean_rtx_queue",
  },
  {
    name: "a module's function, out of order in the file",
    address: 0xffffffffc0a00010n,
    expected: "nf_early",
  },
  { name: "a module's function without the module", address: 0xffffffffc0a01010n, expected: "nf_late" },
  { name: "nothing below the first symbol", address: 0xffffffff80ffffffn, expected: undefined },
  { name: "nothing for an address far past a symbol", address: 0xffffffffb0000000n, expected: undefined },
  { name: "nothing for zero", address: 0n, expected: undefined },
];
for (const { name, address, expected } of cases) {
  test(`parseKernelSymbols() gives ${name}`, () => {
    assert.equal(parse(KALLSYMS)?.resolve(address), expected);
  });
}

test("parseKernelSymbols() gives the same from pieces of any size", () => {
  for (const size of [1, 7, 64]) {
    const symbols = parse(KALLSYMS, size);
    assert.equal(symbols?.size, parse(KALLSYMS)?.size);
    for (const { address, expected } of cases) assert.equal(symbols?.resolve(address), expected);
  }
});

test("parseKernelSymbols() takes a last line without a newline", () => {
  assert.equal(parse("ffffffff81000000 T only")?.resolve(0xffffffff81000000n), "only");
});

test("parseKernelSymbols() gives undefined when every address is hidden", () => {
  assert.equal(parse("0000000000000000 T _stext\n0000000000000000 T tcp_ack\n"), undefined);
});

test("parseKernelSymbols() skips lines that are none of its own", () => {
  assert.equal(parse("\n \nxyz T bad\nffffffff81000000 T\nffffffff81000010 T ok\n")?.size, 1);
});

test("readKernelSymbols() reads kallsyms below the root, and gives undefined without it", (t) => {
  const root = mkdtempSync(join(tmpdir(), "kallsyms-"));
  t.after(() => rmSync(root, { recursive: true }));
  assert.equal(readKernelSymbols({ procRoot: root }), undefined);
  writeFileSync(join(root, "kallsyms"), KALLSYMS);
  assert.equal(readKernelSymbols({ procRoot: root })?.resolve(0xffffffff82018a01n), "tcp_ack");
});
