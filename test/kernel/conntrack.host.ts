import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ConntrackLookup } from "../../src/enrich/lookups.ts";
import type { HostConntrack } from "../../src/host/conntrack.ts";
import { openHostConntrack } from "../../src/host/open-host-conntrack.ts";
import { openLibc } from "../../src/syscall/libc.ts";
import { NAT_ADDRESSES, NatLink, type NatPlace } from "../support/nat-link.ts";
import type { SocketEnd } from "../support/nat-socket.ts";

const libc = openLibc();
const hasFile = existsSync("/proc/self/net/nf_conntrack");
const ways = [
  ...(libc === undefined ? [] : [{ way: "netlink", libc }]),
  ...(hasFile ? [{ way: "proc", libc: undefined }] : []),
] as const;

/**
 * What the router makes of a connection: whether the opener's peer is another, and the answerer's, by its address. The
 * opener's port may be another in any case: where its reply tuple is taken, the router changes it.
 */
interface Case {
  readonly name: string;
  readonly from: NatPlace;
  readonly to: NatPlace;
  readonly address: keyof (typeof NAT_ADDRESSES)[4] & string;
  readonly port: number;
  readonly backend: boolean;
  readonly client: boolean;
}

const CASES: readonly Case[] = [
  {
    name: "plain",
    from: "client",
    to: "server",
    address: "server",
    port: 8080,
    backend: false,
    client: false,
  },
  { name: "DNAT", from: "client", to: "server", address: "dnat", port: 80, backend: true, client: false },
  {
    name: "masquerade",
    from: "client",
    to: "server",
    address: "server",
    port: 8081,
    backend: false,
    client: true,
  },
  {
    name: "DNAT and masquerade",
    from: "client",
    to: "server",
    address: "both",
    port: 80,
    backend: true,
    client: true,
  },
  {
    name: "hairpin",
    from: "client",
    to: "client",
    address: "hairpin",
    port: 80,
    backend: true,
    client: true,
  },
  {
    name: "another port alone",
    from: "client",
    to: "server",
    address: "server",
    port: 90,
    backend: true,
    client: false,
  },
  {
    name: "NodePort, masqueraded",
    from: "client",
    to: "server",
    address: "clientGate",
    port: 30080,
    backend: true,
    client: true,
  },
  {
    name: "NodePort, policy Local",
    from: "client",
    to: "server",
    address: "clientGate",
    port: 30081,
    backend: true,
    client: false,
  },
  {
    name: "own port of the host",
    from: "client",
    to: "router",
    address: "clientGate",
    port: 90,
    backend: true,
    client: false,
  },
  {
    name: "hostNetwork client, DNAT",
    from: "router",
    to: "server",
    address: "dnat",
    port: 80,
    backend: true,
    client: false,
  },
  {
    name: "hostNetwork client, both",
    from: "router",
    to: "server",
    address: "both",
    port: 80,
    backend: true,
    client: false,
  },
  {
    name: "from server to its own service",
    from: "server",
    to: "server",
    address: "both",
    port: 80,
    backend: true,
    client: true,
  },
];

let link: NatLink;
before(async () => {
  link = await NatLink.open();
});
after(async () => await link[Symbol.asyncDispose]());

for (const { way, libc } of ways) {
  for (const ipVersion of [4, 6] as const) {
    test(`HostConntrack.translation() by ${way} gives each end of an IPv${ipVersion} connection what its peer is`, async (t) => {
      using conntrack = open({ libc });
      assert.equal(conntrack.way, way);
      assert.equal(conntrack.note === undefined, way === "netlink");
      let translated = 0;
      for (const { name, from, to, address, port, backend, client } of CASES) {
        await t.test(name, async () => {
          const at = NAT_ADDRESSES[ipVersion][address];
          const [opener, answerer] = await link.connect(from, to, `${at}`, port);
          assert.ok(opener?.role === "opener" && answerer?.role === "answerer");
          const backendEnd = expected(opener, answerer, "backend");
          const clientEnd = expected(answerer, opener, "client");
          assert.deepEqual(await askAgain(conntrack, opener, backendEnd), backendEnd);
          assert.deepEqual(await askAgain(conntrack, answerer, clientEnd), clientEnd);
          assert.equal(backendEnd !== undefined, backend, "the opener's peer");
          assert.equal(answerer.peerAddress !== opener.localAddress, client, "the answerer's peer");
          translated += [backendEnd, clientEnd].filter((end) => end !== undefined).length;
        });
      }
      const { asked, found, untranslated, none, errors } = conntrack.counts;
      if (way === "netlink") {
        assert.deepEqual([found, untranslated, none], [translated, 2 * CASES.length - translated, 0]);
      }
      assert.equal(asked, found + untranslated + none);
      assert.ok(Object.values(errors).every((count) => count === 0));
    });
  }

  test(`HostConntrack.translation() by ${way} gives the port that the host's own connection has where another's reply tuple is in its way`, async () => {
    using conntrack = open({ libc });
    const { dnat, both, serverGate } = NAT_ADDRESSES[4];
    const localPort = way === "netlink" ? 20_001 : 20_002;
    await link.connect("client", "server", both, 80, localPort);
    const [opener, answerer] = await link.connect("router", "server", dnat, 80, localPort);
    assert.ok(opener && answerer);
    assert.equal(opener.localPort, localPort);
    assert.notEqual(answerer.peerPort, localPort);
    assert.deepEqual(await ask(conntrack, answerer), {
      address: serverGate,
      port: localPort,
      side: "client",
    });
    assert.equal((await ask(conntrack, opener))?.side, "backend");
  });

  test(`HostConntrack.translation() by ${way} gives nothing for a pair that differs in one port`, async () => {
    using conntrack = open({ libc });
    const [opener] = await link.connect("client", "server", NAT_ADDRESSES[4].dnat, 80);
    assert.ok(opener);
    assert.equal(await ask(conntrack, { ...opener, localPort: opener.localPort ^ 1 }), undefined);
    assert.equal(await ask(conntrack, { ...opener, peerPort: 81 }), undefined);
    assert.equal(conntrack.counts.none, 2);
    assert.equal((await ask(conntrack, opener))?.side, "backend");
  });

  test(`HostConntrack.translation() by ${way} sees a SYN that nobody answers only behind where it is confirmed`, async () => {
    const drop = (hook: string) =>
      `chain ${hook} { type filter hook ${hook} priority -300; tcp flags & (syn | ack) == syn drop; }`;
    using conntrack = open({ libc });
    link.rules("router", drop("forward"));
    knock(41_001);
    assert.equal(await ask(conntrack, knockedPair(41_001)), undefined, "dropped before: no entry");
    assert.equal(conntrack.counts.none, 1);
    link.rules("router", "");
    link.rules("server", drop("prerouting"));
    knock(41_002);
    const backend = { address: NAT_ADDRESSES[4].server, port: 8080, side: "backend" };
    assert.deepEqual(await ask(conntrack, knockedPair(41_002)), backend);
    assert.match(link.run("router", ["cat", "/proc/net/nf_conntrack"]), /sport=41002 .*\[UNREPLIED\]/);
    link.rules("server", "");
  });
}

for (const { way, libc } of ways) {
  test(`HostConntrack.translation() by ${way} gives nothing for an entry in another zone than 0`, async () => {
    using conntrack = open({ libc });
    link.rules("router", "chain zone { type filter hook prerouting priority -300; ct zone set 5; }");
    knock(41_003);
    link.rules("router", "");
    assert.match(link.run("router", ["cat", "/proc/net/nf_conntrack"]), /sport=41003 .* zone=5 /);
    assert.equal(await ask(conntrack, knockedPair(41_003)), undefined);
    assert.equal(conntrack.counts.none, 1);
  });
}

test("openHostConntrack() without netlink and without the file says so in one sentence, and translates nothing", async () => {
  const procRoot = link.procRoot({ whole: false });
  using conntrack = openHostConntrack({ procRoot, libc: undefined });
  assert.equal(conntrack.way, "none");
  assert.match(conntrack.note ?? "", /^Cannot tell .*node:ffi.* there is no .*CONFIG_NF_CONNTRACK_PROCFS\)$/);
  const [opener] = await link.connect("client", "server", NAT_ADDRESSES[4].dnat, 80);
  assert.ok(opener);
  assert.equal(conntrack.translation(opener), undefined);
  assert.equal(conntrack.counts.asked, 0);
});

test("openHostConntrack() needs no file in /proc for netlink", { skip: libc === undefined }, async () => {
  const root = link.procRoot();
  using conntrack = openHostConntrack({ procRoot: root, libc });
  assert.equal(conntrack.way, "netlink");
  assert.equal(conntrack.note, undefined);
});

test("openHostConntrack() falls back in one sentence where the host's namespace is out of reach", {
  skip: libc === undefined,
}, async () => {
  const procRoot = link.procRoot({ whole: false, reachable: false });
  using conntrack = openHostConntrack({ procRoot, libc });
  assert.equal(conntrack.way, "none");
  assert.match(conntrack.note ?? "", /CAP_SYS_PTRACE/);
});

test("openHostConntrack() falls back in one sentence without CAP_NET_ADMIN", {
  skip: libc === undefined,
}, () => {
  const urls = ["host/open-host-conntrack.ts", "syscall/libc.ts"].map((file) =>
    JSON.stringify(new URL(`../../src/${file}`, import.meta.url).href),
  );
  const script = `const { openHostConntrack } = await import(${urls[0]});
    const { openLibc } = await import(${urls[1]});
    using conntrack = openHostConntrack({ procRoot: "/proc", libc: openLibc() });
    console.log(conntrack.way, conntrack.note);`;
  const drop = ["--bounding-set=-net_admin", "--inh-caps=-net_admin"];
  const node = [process.execPath, "--input-type=module", "-e", script];
  const words = execFileSync("setpriv", [...drop, ...node], { encoding: "utf8", stdio: "pipe" });
  const file = hasFile ? "proc Translated addresses are told late, from" : "none Cannot tell";
  assert.ok(words.startsWith(file), words);
  assert.match(words, /netlink says EPERM, it needs CAP_NET_ADMIN/);
});

function open(options: Partial<Parameters<typeof openHostConntrack>[0]>): HostConntrack {
  const proc = { minIntervalMs: 5, maxShare: 1 };
  return openHostConntrack({ procRoot: link.procRoot(), libc: undefined, proc, ...options });
}

/** Asks until the answer is there. */
async function ask(conntrack: ConntrackLookup, end: Omit<SocketEnd, "role">) {
  for (;;) {
    const answer = conntrack.translation(end);
    if (answer !== "pending") return answer;
    await sleep(2);
  }
}

/**
 * Asks anew where a pass over the file may have missed the entry: it is all namespaces' table, and what changes
 * under a pass can hide an entry from it.
 */
async function askAgain(conntrack: HostConntrack, end: SocketEnd, expected: unknown) {
  const answer = await ask(conntrack, end);
  if (conntrack.way !== "proc" || (answer === undefined) === (expected === undefined)) return answer;
  using another = open({ libc: undefined });
  return await ask(another, end);
}

function expected(end: SocketEnd, peer: SocketEnd, side: "backend" | "client") {
  if (end.peerAddress === peer.localAddress && end.peerPort === peer.localPort) return undefined;
  return { address: peer.localAddress, port: peer.localPort, side };
}

/** The pair of a connection that `knock()` asked for. */
function knockedPair(localPort: number) {
  const { client, dnat } = NAT_ADDRESSES[4];
  return { ipVersion: 4, localAddress: client, localPort, peerAddress: dnat, peerPort: 80 } as const;
}

/** Sends one SYN from a port of the client's to the service, and waits for nothing. */
function knock(port: number): void {
  const script = `require("node:net").connect({ host: "${NAT_ADDRESSES[4].dnat}", port: 80, localPort: ${port} });
    setTimeout(() => process.exit(0), 50);`;
  link.run("client", [process.execPath, "-e", script]);
}
