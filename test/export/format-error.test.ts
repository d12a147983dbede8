import assert from "node:assert/strict";
import { test } from "node:test";
import { formatError } from "../../src/export/format-error.ts";

const cases = [
  { error: undefined, name: undefined },
  { error: 0, name: undefined },
  { error: -1, name: "EPERM" },
  { error: -11, name: "EAGAIN" },
  { error: -12, name: "ENOMEM" },
  { error: -16, name: "EBUSY" },
  { error: -105, name: "ENOBUFS" },
  { error: -113, name: "EHOSTUNREACH" },
  { error: -512, name: "ERRNO_512" },
  { error: 1, name: "NET_XMIT_DROP" },
  { error: 2, name: "NET_XMIT_2" },
];

for (const { error, name } of cases) {
  test(`formatError() gives ${name} for ${error}`, () => assert.equal(formatError(error), name));
}
