import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseHeaderPage } from "../../src/ring-buffer/page-layout.ts";
import { LAYOUT_4K } from "../support/page-writer.ts";

const HEADER_PAGE = readFileSync(
  new URL("../fixtures/ring-buffer/6.18-header-page.txt", import.meta.url),
  "utf8",
);

test("parseHeaderPage() reads the layout of a 6.18 kernel", () => {
  assert.deepEqual(parseHeaderPage(HEADER_PAGE), LAYOUT_4K);
});

test("parseHeaderPage() reads pages of 64 KiB", () => {
  const layout = parseHeaderPage(HEADER_PAGE.replace("4080", "65520"));
  assert.equal(layout.dataSize, 65_520);
  assert.equal(layout.pageSize, 65_536);
});

test("parseHeaderPage() reads the layout of a 32-bit kernel", () => {
  const text = [
    "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;",
    "\tfield: local_t commit;\toffset:8;\tsize:4;\tsigned:1;",
    "\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;",
    "\tfield: char data;\toffset:12;\tsize:4084;\tsigned:1;",
  ].join("\n");
  const layout = { commitOffset: 8, commitSize: 4, dataOffset: 12, dataSize: 4084, pageSize: 4096 };
  assert.deepEqual(parseHeaderPage(text), layout);
});

for (const { name, text, message } of [
  { name: "no text", text: "", message: 'Cannot parse header_page: no field "timestamp"' },
  { name: "no data field", text: without("data"), message: 'Cannot parse header_page: no field "data"' },
  {
    name: "a timestamp elsewhere",
    text: HEADER_PAGE.replace("offset:0", "offset:4"),
    message: "Cannot parse header_page: timestamp has 8 bytes at 4",
  },
  {
    name: "a commit of another size",
    text: HEADER_PAGE.replace("offset:8;\tsize:8", "offset:8;\tsize:2"),
    message: "Cannot parse header_page: commit has 2 bytes at 8",
  },
  {
    name: "a commit inside the timestamp",
    text: HEADER_PAGE.replace("offset:8", "offset:4"),
    message: "Cannot parse header_page: commit has 8 bytes at 4",
  },
  {
    name: "data inside commit",
    text: HEADER_PAGE.replace("offset:16", "offset:12"),
    message: "Cannot parse header_page: data has 4080 bytes at 12",
  },
  {
    name: "no room for data",
    text: HEADER_PAGE.replace("4080", "0"),
    message: "Cannot parse header_page: data has 0 bytes at 16",
  },
  {
    name: "more data than commit can count",
    text: HEADER_PAGE.replace("4080", "134217728"),
    message: "Cannot parse header_page: data has 134217728 bytes at 16",
  },
  {
    name: "a size that is no number",
    text: HEADER_PAGE.replace("size:4080", "size:-1"),
    message: 'Cannot parse header_page: "size:-1" is not size: and a number',
  },
  {
    name: "a field without an offset",
    text: "field: u64 timestamp",
    message: 'Cannot parse header_page: "" is not offset: and a number',
  },
]) {
  test(`parseHeaderPage() throws a SyntaxError on ${name}`, () => {
    assert.throws(() => parseHeaderPage(text), { name: "SyntaxError", message });
  });
}

function without(field: string): string {
  return HEADER_PAGE.split("\n")
    .filter((line) => !line.includes(` ${field};`))
    .join("\n");
}
