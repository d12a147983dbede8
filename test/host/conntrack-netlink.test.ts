import assert from "node:assert/strict";
import { openSync } from "node:fs";
import { test } from "node:test";
import { NETLINK_NETFILTER, NetlinkConntrack } from "../../src/host/conntrack-netlink.ts";
import { openLibc } from "../../src/syscall/libc.ts";
import { readExchange } from "../support/conntrack-exchange.ts";

const libc = openLibc();
const { pair } = readExchange("6.18-ipv4-opener");
const skip = libc === undefined ? "this Node has no node:ffi" : false;
/** What a socket of this namespace answers for a pair that it does not know. */
const unknown = process.getuid?.() === 0 ? { kind: "none" } : { kind: "failed", error: "refused" };

test("NetlinkConntrack.ask() is answered within the request, in both families", { skip }, () => {
  assert.ok(libc);
  using conntrack = new NetlinkConntrack(libc, { fd: libc.netlinkSocket(NETLINK_NETFILTER) });
  for (const name of ["6.18-ipv4-none", "6.18-ipv6-none"])
    assert.deepEqual(conntrack.ask(readExchange(name).pair), unknown);
  assert.equal(conntrack.counts.stale, 0);
});

test("NetlinkConntrack.ask() reads what nobody took before it, and the answer behind it", { skip }, () => {
  assert.ok(libc);
  const fd = libc.netlinkSocket(NETLINK_NETFILTER);
  using conntrack = new NetlinkConntrack(libc, { fd });
  const { request } = readExchange("6.18-ipv4-none");
  for (let i = 0; i < 10; i++) libc.write(fd, new Uint8Array(request));
  assert.deepEqual(conntrack.ask(pair), unknown);
  assert.equal(conntrack.counts.stale, 10);
});

test("NetlinkConntrack.ask() works again after the socket's buffer overflowed", { skip }, () => {
  assert.ok(libc);
  const fd = libc.netlinkSocket(NETLINK_NETFILTER);
  using conntrack = new NetlinkConntrack(libc, { fd });
  const { request } = readExchange("6.18-ipv4-none");
  for (let i = 0; i < 2000; i++) libc.write(fd, new Uint8Array(request));
  assert.deepEqual(conntrack.ask(pair), { kind: "failed", error: "overrun" });
  const answers = [1, 2].map(() => conntrack.ask(pair));
  assert.deepEqual(answers.at(-1), unknown);
  assert.ok(conntrack.counts.stale > 10);
});

test("NetlinkConntrack.ask() gives up on what never answers, answers something else, or is closed", {
  skip,
}, () => {
  assert.ok(libc);
  using silent = new NetlinkConntrack(libc, { fd: openSync("/dev/null", "r+") });
  assert.deepEqual(silent.ask(pair), { kind: "failed", error: "no_reply" });
  using zeros = new NetlinkConntrack(libc, { fd: openSync("/dev/zero", "r+") });
  assert.deepEqual(zeros.ask(pair), { kind: "failed", error: "short_message" });
  using readOnly = new NetlinkConntrack(libc, { fd: openSync("/dev/null", "r") });
  // Between the call and the look at errno the runtime may make a call of its own, seldom: then it says EAGAIN.
  const answers = Array.from({ length: 5 }, () => readOnly.ask(pair));
  assert.ok(answers.some((answer) => answer.kind === "failed" && answer.error === "errno"));
  assert.ok(answers.every((answer) => answer.kind === "failed"));
  assert.deepEqual(silent.ask({ ...pair, peerAddress: "" }), { kind: "failed", error: "bad_address" });
  silent[Symbol.dispose]();
  assert.deepEqual(silent.ask(pair), { kind: "failed", error: "unreadable" });
});
