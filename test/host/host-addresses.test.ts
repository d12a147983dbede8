import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { HostAddresses, parseFibTrie, parseIfInet6 } from "../../src/host/host-addresses.ts";

/** Of 6.18 with one interface; routes and broadcast addresses are not the host's own. */
const FIB_TRIE = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
        |-- 127.255.255.255
           /32 link BROADCAST
     +-- 192.0.2.0/24 2 0 2
        +-- 192.0.2.0/30 2 0 2
           |-- 192.0.2.0
              /24 link UNICAST
           |-- 192.0.2.2
              /32 host LOCAL
        |-- 192.0.2.255
           /32 link BROADCAST
     |-- 10.96.0.1
        /32 link UNICAST
        /32 host LOCAL
Local:
     |-- 192.0.2.2
        /32 host LOCAL
     |-- 10.244.1.1
        /32 host LOCAL
`;
const IF_INET6 = `fe8000000000000000fc00fffe000001 04 40 20 80     eth0
00000000000000000000000000000001 01 80 10 80       lo
fd000000000000000000000000000002 04 40 00 82     eth0
20010db8000000000001000000000001 0a 40 00 80 very-long-name0
`;

test("parseFibTrie() gives the local addresses of every table once, and no loopback", () => {
  assert.deepEqual([...parseFibTrie(FIB_TRIE)].toSorted(), ["10.244.1.1", "10.96.0.1", "192.0.2.2"]);
  assert.deepEqual([...parseFibTrie("")], []);
});

test("parseIfInet6() gives canonical addresses, and no loopback", () => {
  assert.deepEqual(parseIfInet6(IF_INET6), ["fe80::fc:ff:fe00:1", "fd00::2", "2001:db8::1:0:0:1"]);
  assert.deepEqual(parseIfInet6("garbage\n"), []);
});

test("HostAddresses.refresh() reads the files of process 1 again when that is due", (t) => {
  const procRoot = mkdtempSync(join(tmpdir(), "addresses-"));
  t.after(() => rmSync(procRoot, { recursive: true }));
  let now = 0;
  const addresses = new HostAddresses({ procRoot, now: () => now });
  addresses.refresh();
  assert.equal(addresses.has("192.0.2.2"), false, "there is no process 1");
  mkdirSync(join(procRoot, "1/net"), { recursive: true });
  writeFileSync(join(procRoot, "1/net/fib_trie"), FIB_TRIE);
  addresses.refresh();
  assert.equal(addresses.has("192.0.2.2"), false, "it is not due");
  now = 5_000;
  addresses.refresh();
  assert.equal(addresses.has("192.0.2.2"), true, "a kernel without IPv6 has no if_inet6");
  assert.equal(addresses.has("127.0.0.1"), false);
  writeFileSync(join(procRoot, "1/net/if_inet6"), IF_INET6);
  writeFileSync(join(procRoot, "1/net/fib_trie"), FIB_TRIE.replaceAll("192.0.2.2\n", "192.0.2.3\n"));
  now = 10_000;
  addresses.refresh();
  assert.deepEqual(
    ["192.0.2.2", "192.0.2.3", "fd00::2"].map((address) => addresses.has(address)),
    [false, true, true],
  );
});
