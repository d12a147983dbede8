import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import type { SocketEnd } from "./nat-socket.ts";

export type NatPlace = "client" | "router" | "server";

const SOCKETS = join(import.meta.dirname, "nat-socket.ts");
const PORTS = ["8080", "8081"];

/** Addresses of the link, by family. */
export const NAT_ADDRESSES = {
  4: {
    client: "10.66.1.2",
    clientGate: "10.66.1.1",
    server: "10.66.2.2",
    serverGate: "10.66.2.1",
    dnat: "10.96.0.1",
    both: "10.96.0.2",
    hairpin: "10.96.0.3",
    length: 24,
  },
  6: {
    client: "fd00:66:1::2",
    clientGate: "fd00:66:1::1",
    server: "fd00:66:2::2",
    serverGate: "fd00:66:2::1",
    dnat: "fd00:96::1",
    both: "fd00:96::2",
    hairpin: "fd00:96::3",
    length: 64,
  },
} as const;

/**
 * Three network namespaces in a row, of which the middle one translates: `dnat` to the server, `both` with a
 * masquerade besides, `hairpin` back to the client, the server's port 8081 with a masquerade alone, its port 90
 * to another port, and port 30080 of the router (a NodePort) to the server with a masquerade.
 */
export class NatLink implements AsyncDisposable {
  readonly #tag = `tcprx-nat-${randomBytes(3).toString("hex")}`;
  readonly #sockets = new Map<
    NatPlace,
    { readonly child: ChildProcess; readonly lines: AsyncIterator<string> }
  >();
  readonly #directories: string[] = [];

  static async open(): Promise<NatLink> {
    const link = new NatLink();
    try {
      link.#make();
      for (const place of ["client", "router", "server"] as const) await link.#listen(place);
      return link;
    } catch (error) {
      await link[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The name of a place's namespace. */
  namespace(place: NatPlace): string {
    return `${this.#tag}-${place}`;
  }

  /**
   * A directory that stands for the /proc of a host whose first process is in the router's namespace: with the
   * whole of that process, or only with its net/dev and, where `reachable`, its ns/net.
   */
  procRoot({ whole = true, reachable = true } = {}): string {
    const root = mkdtempSync(join(tmpdir(), "nat-proc-"));
    this.#directories.push(root);
    const first = `/proc/${this.#sockets.get("router")?.child.pid}`;
    for (const name of ["self", "thread-self"]) symlinkSync(`/proc/${name}`, join(root, name));
    if (whole) symlinkSync(first, join(root, "1"));
    else {
      mkdirSync(join(root, "1", "net"), { recursive: true });
      symlinkSync(`${first}/net/dev`, join(root, "1", "net", "dev"));
      if (reachable) symlinkSync(`${first}/ns`, join(root, "1", "ns"));
    }
    return root;
  }

  /** Connects and gives both ends as their sockets name them; `target` is an address and a port, and may name the own port too. */
  async connect(
    from: NatPlace,
    to: NatPlace,
    ...target: readonly [address: string, port: number, localPort?: number]
  ): Promise<readonly SocketEnd[]> {
    const opener = this.#sockets.get(from);
    const answerer = this.#sockets.get(to);
    opener?.child.stdin?.write(`${target.join(" ")}\n`);
    const ends: SocketEnd[] = [];
    for (const side of [opener, answerer]) ends.push(JSON.parse((await side?.lines.next())?.value ?? ""));
    return ends.sort((a, b) => (a.role < b.role ? 1 : -1)); // opener first
  }

  /** Replaces what the nft table `loss` of a place holds. */
  rules(place: NatPlace, rules: string): void {
    this.run(
      place,
      ["nft", "-f", "-"],
      `table inet loss\ndelete table inet loss\ntable inet loss {\n${rules}\n}\n`,
    );
  }

  run(place: NatPlace, command: readonly string[], input = ""): string {
    return execFileSync("ip", ["netns", "exec", this.namespace(place), ...command], {
      encoding: "utf8",
      input,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child } of this.#sockets.values()) {
      child.stdin?.end();
      if (child.exitCode === null) await once(child, "exit");
    }
    for (const place of ["client", "router", "server"] as const) {
      try {
        execFileSync("ip", ["netns", "del", this.namespace(place)], { stdio: "ignore" });
      } catch {
        // It was not made.
      }
    }
    for (const directory of this.#directories) rmSync(directory, { recursive: true });
  }

  #make(): void {
    const [client, router, server] = (["client", "router", "server"] as const).map((place) =>
      this.namespace(place),
    ) as [string, string, string];
    ip(
      [],
      [client, router, server].map((name) => `netns add ${name}`),
    );
    ip(
      [],
      [
        `link add up0 netns ${client} type veth peer name c0 netns ${router}`,
        `link add up0 netns ${server} type veth peer name s0 netns ${router}`,
      ],
    );
    const addresses = (end: "client" | "server" | "clientGate" | "serverGate", device: string) =>
      ([4, 6] as const).map((family) => {
        const { [end]: address, length } = NAT_ADDRESSES[family];
        return `addr add ${address}/${length} dev ${device}${family === 6 ? " nodad" : ""}`;
      });
    ip(
      ["-n", router],
      [
        ...addresses("clientGate", "c0"),
        ...addresses("serverGate", "s0"),
        ...["lo", "c0", "s0"].map((device) => `link set ${device} up`),
      ],
    );
    for (const [end, name] of [
      ["client", client],
      ["server", server],
    ] as const) {
      ip(["-n", name], [...addresses(end, "up0"), "link set lo up", "link set up0 up"]);
      ip(
        ["-n", name],
        [
          `route add default via ${NAT_ADDRESSES[4][`${end}Gate`]}`,
          `route add default via ${NAT_ADDRESSES[6][`${end}Gate`]}`,
        ],
      );
    }
    const forward = ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"];
    this.run("router", ["sysctl", "-qw", ...forward]);
    // Services have a route, as kube-proxy's hosts have a default one: the router's own sockets need it.
    ip(["-n", router], ["route add 10.96.0.0/24 dev s0", "route add fd00:96::/64 dev s0"]);
    this.run("router", ["nft", "-f", "-"], natTable("ip", 4) + natTable("ip6", 6));
  }

  async #listen(place: NatPlace): Promise<void> {
    const command = ["netns", "exec", this.namespace(place), process.execPath, SOCKETS, ...PORTS];
    const child = spawn("ip", command, { stdio: ["pipe", "pipe", "inherit"] });
    const lines = linesOf(child)[Symbol.asyncIterator]();
    this.#sockets.set(place, { child, lines });
    await lines.next();
  }
}

function natTable(family: "ip" | "ip6", version: 4 | 6): string {
  const at = NAT_ADDRESSES[version];
  const server = version === 4 ? at.server : `[${at.server}]`;
  const client = version === 4 ? at.client : `[${at.client}]`;
  const dnat = `
    ${family} daddr { ${at.dnat}, ${at.both} } tcp dport 80 dnat to ${server}:8080
    ${family} daddr ${at.hairpin} tcp dport 80 dnat to ${client}:8080
    ${family} daddr ${at.server} tcp dport 90 dnat to ${server}:8080
    ${family} daddr ${at.clientGate} tcp dport 30080 dnat to ${server}:8080
    ${family} daddr ${at.clientGate} tcp dport 30081 dnat to ${server}:8080`;
  return `table ${family} nat {
  chain prerouting { type nat hook prerouting priority dstnat; ${dnat}
    ${family} daddr ${at.clientGate} tcp dport 90 redirect to :8080
  }
  chain output { type nat hook output priority -100; ${dnat}
  }
  chain postrouting { type nat hook postrouting priority srcnat;
    ct original ${family} daddr { ${at.both}, ${at.hairpin} } masquerade
    ${family} daddr ${at.server} tcp dport 8081 masquerade
    meta l4proto tcp ct original proto-dst 30080 masquerade
  }
}
`;
}

function ip(options: readonly string[], commands: readonly string[]): void {
  execFileSync("ip", [...options, "-batch", "-"], { input: `${commands.join("\n")}\n` });
}

function linesOf(child: ChildProcess): Interface {
  if (child.stdout === null) throw new TypeError("Cannot read from a child without a pipe");
  return createInterface({ input: child.stdout });
}
