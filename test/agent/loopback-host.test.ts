import assert from "node:assert/strict";
import { test } from "node:test";
import { isLoopback, isSafeHost } from "../../src/agent/loopback-host.ts";

test("isLoopback() knows this host's own addresses, v4-mapped ones too", () => {
  for (const address of ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
    assert.equal(isLoopback(address), true, address);
  for (const address of ["128.0.0.1", "10.0.0.1", "::2", "::ffff:10.0.0.1", "", "localhost"])
    assert.equal(isLoopback(address), false, address);
});

test("isSafeHost() takes addresses and localhost, and no name that anyone could point here", () => {
  for (const host of [
    undefined,
    "",
    "127.0.0.1:9464",
    "10.0.0.7",
    "[::1]:9464",
    "[fd00::1]",
    "localhost",
    "LOCALHOST:9464",
    "tcpretrans.localhost:80",
  ])
    assert.equal(isSafeHost(host), true, String(host));
  for (const host of [
    "evil.example",
    "localhost.evil.example:9464",
    "127.0.0.1.evil.example",
    "[::1",
    "x[::1]",
  ])
    assert.equal(isSafeHost(host), false, host);
});
