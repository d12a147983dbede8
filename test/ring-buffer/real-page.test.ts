import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readPage } from "../../src/ring-buffer/read-page.ts";
import { LAYOUT_4K } from "../support/page-writer.ts";
import { parseXxd } from "../support/xxd.ts";

/** Event ids on the kernel that the pages were taken from. */
const EVENTS: Readonly<Record<number, string>> = { 2273: "tcp_probe", 2287: "inet_sock_set_state" };

for (const { name, missed } of [
  { name: "6.18-tcp", missed: 0 },
  { name: "6.18-tcp-overrun", missed: 434 },
]) {
  test(`readPage() reads ${name} as the kernel's own text tells it`, () => {
    const page = parseXxd(fixture(`${name}.xxd`));
    const view = new DataView(page.buffer);
    const records: string[] = [];
    const result = readPage(view, page.length, LAYOUT_4K, { hi: 0, lo: 0 }, (offset, _length, time) => {
      const event = EVENTS[view.getUint16(offset, true)];
      // The kernel's text rounds to the nearest microsecond (ns2usecs, kernel/trace/trace.c).
      const micros = Math.floor((time + 500) / 1000);
      const seconds = `${Math.floor(micros / 1e6)}.${String(micros % 1e6).padStart(6, "0")}`;
      records.push(`${view.getInt32(offset + 4, true)} ${seconds} ${event} ${ports(view, offset, event)}`);
    });
    assert.deepEqual(records, kernelText(`${name}.txt`));
    assert.equal(result.fault, undefined);
    assert.equal(result.missed, missed);
    assert.equal(result.records, records.length);
  });
}

function ports(view: DataView, offset: number, event: string | undefined): string {
  const at = offset + (event === "tcp_probe" ? 64 : 24);
  return `${view.getUint16(at, true)} ${view.getUint16(at + 2, true)}`;
}

/** `python3-13034 [000] ..s2.  1612.580947: tcp_probe: … src=127.0.0.1:1 dest=127.0.0.1:2` as `13034 1612.580947 tcp_probe 1 2`. */
function kernelText(file: string): string[] {
  return fixture(file)
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const match =
        /-(\d+) +\[\d+\] \S+ +([\d.]+): (\w+): .*?(?:sport=|src=\S+:)(\d+) (?:dport=|dest=\S+:)(\d+)/.exec(
          line,
        );
      return match?.slice(1).join(" ") ?? line;
    });
}

function fixture(file: string): string {
  return readFileSync(new URL(`../fixtures/ring-buffer/${file}`, import.meta.url), "utf8");
}
