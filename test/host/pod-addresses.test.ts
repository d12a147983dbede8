import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { PodAddresses, type PodNamespace } from "../../src/host/pod-addresses.ts";

const [V4, V6] = ["10.244.1.20", "fd00:10:244:1::14"];
const FIB_TRIE = `Local:
  +-- 10.244.1.0/24 2 0 2
     |-- 10.244.1.20
        /32 host LOCAL
     |-- 127.0.0.1
        /32 host LOCAL
`;
const IF_INET6 = `fd000010024400010000000000000014 02 40 00 80     eth0
fe800000000000000858d8fffe1f1a4d 02 40 20 80     eth0
`;

/** A directory in place of /proc with pods in namespaces, and a clock that stands still. */
function makeHost(t: TestContext) {
  const procRoot = mkdtempSync(join(tmpdir(), "pod-addresses-"));
  t.after(() => rmSync(procRoot, { recursive: true }));
  const clock = { ms: 1_000_000 };
  const there = new Map<number, PodNamespace>();
  /** Starts a process of a pod in a namespace of its own. */
  const start = (pid: number, podUid: string, { trie = FIB_TRIE, inet6 = IF_INET6 } = {}) => {
    mkdirSync(join(procRoot, `${pid}/ns`), { recursive: true });
    mkdirSync(join(procRoot, `${pid}/net`));
    symlinkSync(`net:[${4_026_532_000 + pid}]`, join(procRoot, `${pid}/ns/net`));
    writeFileSync(join(procRoot, `${pid}/net/fib_trie`), trie);
    writeFileSync(join(procRoot, `${pid}/net/if_inet6`), inet6);
    const holding = { inum: 4_026_532_000 + pid, pids: new Set([pid]), mountName: undefined, revision: 0 };
    there.set(pid, { holding, podUid });
  };
  const end = (pid: number) => {
    rmSync(join(procRoot, `${pid}`), { recursive: true });
    there.delete(pid);
  };
  const addresses = new PodAddresses({ procRoot, unixMs: () => clock.ms });
  const look = (afterMs: number) => {
    clock.ms += afterMs;
    addresses.follow(there.values());
  };
  const at = (atMs: number, address = V4) => {
    const sight = addresses.at(address, atMs, atMs);
    return sight?.kind === "one" ? sight.podUid : sight?.kind;
  };
  return { procRoot, clock, start, end, look, at, addresses };
}

test("PodAddresses.at() gives the pod whose namespace has an address of either family", (t) => {
  const { clock, start, look, at } = makeHost(t);
  start(60, "a");
  look(0);
  assert.deepEqual([at(clock.ms), at(clock.ms, V6)], ["a", "a"]);
  assert.equal(at(clock.ms, "10.244.1.21"), undefined);
  assert.equal(at(clock.ms, "127.0.0.1"), undefined);
  assert.equal(
    at(clock.ms, "fe80::858:d8ff:fe1f:1a4d"),
    undefined,
    "any namespace may have a link-local one",
  );
});

test("PodAddresses.at() asks for a look where an address was not looked for since", (t) => {
  const { clock, start, look, at } = makeHost(t);
  look(0);
  start(60, "a");
  assert.equal(at(clock.ms + 5), "stale");
  look(10);
  assert.equal(at(clock.ms - 5), "a");
});

test("PodAddresses.at() asks for no look again soon after one that met an address nowhere", (t) => {
  const { clock, look, at } = makeHost(t);
  look(0);
  assert.equal(at(clock.ms), undefined);
  clock.ms += 1_400;
  assert.equal(at(clock.ms), undefined);
  clock.ms += 200;
  assert.equal(at(clock.ms), "stale");
});

test("PodAddresses.at() gives the predecessor until its end, the successor from its beginning, and several between", (t) => {
  const { clock, start, end, look, at } = makeHost(t);
  start(60, "old");
  look(0);
  look(1_000);
  const lastMs = clock.ms;
  end(60);
  start(61, "new");
  look(1_000);
  assert.deepEqual([at(lastMs), at(lastMs + 500), at(clock.ms)], ["old", "several", "new"]);
  look(1_000);
  assert.equal(at(clock.ms), "new");
});

test("PodAddresses.at() gives the successor's own time to it alone where another look came between", (t) => {
  const { clock, start, end, look, at, addresses } = makeHost(t);
  start(60, "old");
  look(0);
  end(60);
  look(1_000);
  const betweenMs = clock.ms;
  start(61, "new");
  look(1_000);
  assert.equal(at(betweenMs + 500), "new");
  assert.equal(at(betweenMs - 500), "old");
  assert.deepEqual(addresses.at(V4, betweenMs - 500, betweenMs + 500), { kind: "several" });
});

test("PodAddresses.at() looks at the process itself for an event of this moment", (t) => {
  const { clock, start, end, look, at } = makeHost(t);
  start(60, "a");
  look(0);
  clock.ms += 50;
  end(60);
  assert.equal(at(clock.ms), "a", "nothing is given away so soon");
  clock.ms += 51;
  assert.equal(at(clock.ms), "stale");
});

test("PodAddresses.at() gives nobody for a pod whose process has gone to another namespace", (t) => {
  const { procRoot, clock, start, look, at } = makeHost(t);
  start(60, "a");
  look(0);
  rmSync(join(procRoot, "60/ns/net"));
  symlinkSync("net:[4026539999]", join(procRoot, "60/ns/net"));
  clock.ms += 200;
  assert.equal(at(clock.ms), "stale");
});

test("PodAddresses.follow() reads a young namespace again, whose addresses may come one after the other", (t) => {
  const { procRoot, clock, start, look, at } = makeHost(t);
  start(60, "a", { trie: "", inet6: "" });
  look(0);
  assert.equal(at(clock.ms), undefined);
  writeFileSync(join(procRoot, "60/net/fib_trie"), FIB_TRIE);
  look(499);
  assert.equal(at(clock.ms), undefined);
  look(59_000);
  assert.deepEqual([at(clock.ms), at(clock.ms, V6)], ["a", undefined]);
  start(61, "b", { inet6: "" });
  look(1_000);
  writeFileSync(join(procRoot, "61/net/if_inet6"), IF_INET6);
  writeFileSync(join(procRoot, "60/net/if_inet6"), IF_INET6);
  look(9_000);
  assert.equal(at(clock.ms, V6), "b", "the other is old by now");
});

test("PodAddresses.follow() forgets pods ten minutes after their end", (t) => {
  const { clock, start, end, look, at, addresses } = makeHost(t);
  start(60, "a");
  look(0);
  const thereMs = clock.ms;
  end(60);
  look(1_000);
  look(600_000);
  assert.equal(at(thereMs), "a");
  look(1);
  assert.equal(at(thereMs), undefined);
  assert.deepEqual(addresses.counts, { living: 0, remembered: 0 });
});
