import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { test } from "node:test";
import { compileFilters, selectedNamespaces } from "../../src/cli/filters.ts";
import { parseOptions } from "../../src/cli/options.ts";
import { UsageError } from "../../src/cli/usage-error.ts";
import { anEvent } from "../export/an-event.ts";

function filters(line: string) {
  const command = parseOptions(line.split(" ").filter(Boolean), {});
  assert.ok(command.kind === "trace");
  return command.view.filters;
}

/** Local 10.150.18.225:53874, peer 10.105.152.3:6001, ESTABLISHED, fast. */
const v4 = anEvent({ socket: { netns: 7 } });
const v6 = anEvent({
  kind: "loss_probe",
  cause: "tail_loss_probe",
  outcome: "unknown",
  socket: { ipVersion: 6, localAddress: "2001:db8::1", peerAddress: "2001:db9::1", state: 9, netns: 8 },
});

const cases = [
  { line: "", passes: [true, true] },
  { line: "--local 10.150.18.225", passes: [true, false] },
  { line: "--local 10.150.0.0/16", passes: [true, false] },
  { line: "--local 10.151.0.0/16", passes: [false, false] },
  { line: "--local ::ffff:10.150.18.225", passes: [true, false] },
  { line: "--local ::ffff:10.0.0.0/104", passes: [true, false] },
  { line: "--local ::ffff:a96:12e1", passes: [true, false] },
  { line: "--local 0.0.0.0/0", passes: [true, false] },
  { line: "--remote 10.150.18.225", passes: [false, false] },
  { line: "--remote 10.105.152.3", passes: [true, false] },
  { line: "--remote 2001:db9::/32", passes: [false, true] },
  { line: "--remote 2001:0db9:0:0::0001", passes: [false, true] },
  { line: "--remote 10.0.0.0/8 --remote 2001:db9::/32", passes: [true, true] },
  { line: "--remote 10.0.0.0/8 --local 192.0.2.1", passes: [false, false] },
  { line: "--port 6001", passes: [true, true] },
  { line: "--port 53874", passes: [true, true] },
  { line: "--port 80", passes: [false, false] },
  { line: "--state last_ack", passes: [false, true] },
  { line: "--state LAST_ACK --state ESTABLISHED", passes: [true, true] },
  { line: "--type fast", passes: [true, false] },
  { line: "--type tail_loss_probe --type syn", passes: [false, true] },
  { line: "--netns 7", passes: [true, false] },
  { line: "--netns 7 --netns 8 --type fast", passes: [true, false] },
];
for (const { line, passes } of cases) {
  test(`compileFilters() of "${line}" passes ${passes}`, () => {
    const predicate = compileFilters(filters(line));
    assert.deepEqual([v4, v6].map(predicate), passes);
    assert.deepEqual([v4, v6].map(predicate), passes, "and the same again from memory");
  });
}

test("compileFilters() applies to failed attempts as to sent ones", () => {
  const predicate = compileFilters(filters("--type fast --port 6001"));
  assert.equal(predicate(anEvent({ outcome: "failed" })), true);
});

test("compileFilters() by namespace passes nothing whose namespace is not known", () => {
  assert.equal(compileFilters(filters("--netns 7"))(anEvent()), false);
});

test("compileFilters() remembers a bounded number of addresses and stays right", () => {
  const predicate = compileFilters(filters("--remote 10.0.0.0/9"));
  for (let i = 0; i < 20_000; i++) {
    const peerAddress = `10.${i & 255}.${i >> 8}.1`;
    assert.equal(predicate(anEvent({ socket: { peerAddress } })), (i & 255) < 128, peerAddress);
  }
});

test("selectedNamespaces() gives the inode number of a path", () => {
  assert.equal(selectedNamespaces(filters("")), undefined);
  const own = statSync("/proc/self/ns/net").ino;
  assert.deepEqual(selectedNamespaces(filters("--netns /proc/self/ns/net --netns 7")), new Set([own, 7]));
});

test("selectedNamespaces() says what to do about a path that is not there", () => {
  assert.throws(
    () => selectedNamespaces(filters("--netns /run/netns/no-such-one")),
    (error) => {
      assert.ok(error instanceof UsageError);
      const advice = "give the path of a network namespace, such as /run/netns/NAME";
      assert.equal(error.message, `Cannot use --netns /run/netns/no-such-one: stat says ENOENT; ${advice}`);
      return true;
    },
  );
});
