import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { parseTcpCounters, type TcpCounterName } from "../../src/host/tcp-counters.ts";
import type { Answer, Ask } from "./link-traffic.ts";

export interface LossyLinkOptions {
  /** Ports that the far end answers on. */
  readonly ports: readonly number[];
  /** Rules of nftables for packets that arrive at each end, one a line. */
  readonly atClient?: readonly string[];
  readonly atServer?: readonly string[];
  /** Settings under net.ipv4 of both ends, IPv6 sockets included. */
  readonly sysctls?: Readonly<Record<string, number>>;
}

const TRAFFIC = join(import.meta.dirname, "link-traffic.ts");
const DEVICE = "lossy0";
/** Small, so that a test need not wait long for a retransmission timeout; a SYN's is always 1 s. */
const RTO_MIN = "20ms";
/** Settings of each namespace: a connection that nobody answers is given up after few retransmits. */
const SYSCTLS = { tcp_syn_retries: 1, tcp_synack_retries: 2 };

/**
 * Two network namespaces and a link between them on which each packet is one segment (gso_max_segs 1), with
 * traffic in both. Addresses are of this link only: they tell its events from all others of the machine.
 */
export class LossyLink implements AsyncDisposable {
  readonly client: string;
  readonly server: string;
  /** `198.18.N.` (RFC 2544) and `2001:db8:N::` (RFC 3849): 1 is the client, 2 the server. */
  readonly #prefix4: string;
  readonly #prefix6: string;
  readonly #children: ChildProcess[] = [];
  readonly #answers: ((answer: Answer) => void)[] = [];
  #asking: ChildProcess | undefined;

  private constructor() {
    const number = randomBytes(3);
    const name = `tcprx-link-${number.toString("hex")}`;
    this.client = `${name}-a`;
    this.server = `${name}-b`;
    this.#prefix4 = `198.${18 + (number[0]! & 1)}.${number[1]! || 1}.`;
    this.#prefix6 = `2001:db8:${number.readUIntBE(0, 2).toString(16)}:${number[2]!.toString(16)}::`;
  }

  static async open(options: LossyLinkOptions): Promise<LossyLink> {
    const link = new LossyLink();
    try {
      link.#make({ ...SYSCTLS, ...options.sysctls });
      link.rules(link.client, options.atClient ?? []);
      link.rules(link.server, options.atServer ?? []);
      const serving = link.#spawn(link.server, ["serve", ...options.ports.map(String)]);
      link.#asking = link.#spawn(link.client, ["ask"]);
      lines(link.#asking).on("line", (line) => link.#answers.shift()?.(JSON.parse(line)));
      await once(lines(serving), "line");
      return link;
    } catch (error) {
      await link[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The server's address as a socket of that kind connects to it. */
  address(kind: "ipv4" | "ipv6" | "mapped"): string {
    if (kind === "ipv6") return `${this.#prefix6}2`;
    return `${kind === "mapped" ? "::ffff:" : ""}${this.#prefix4}2`;
  }

  /** CIDR ranges of the link's addresses. */
  get ranges(): readonly string[] {
    return [`${this.#prefix4}0/24`, `${this.#prefix6}/64`];
  }

  /** Whether an address is of this link. */
  has(address: string): boolean {
    return address.startsWith(this.#prefix4) || address.startsWith(this.#prefix6);
  }

  /** Replaces what an end does with packets that arrive at it; no rule lets all of them through. */
  rules(end: string, rules: readonly string[]): void {
    const chain = ["type filter hook prerouting priority -300; policy accept;", ...rules].join("\n");
    const input = `table inet lossy\ndelete table inet lossy\ntable inet lossy { chain arriving {\n${chain}\n}\n}\n`;
    inside(end, ["nft", "-f", "-"], input);
  }

  /** Sends requests; resolves when all of them were answered or given up. Asks at the same time are answered in order of their end. */
  ask(request: Partial<Ask> & Pick<Ask, "host" | "port">): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#answers.push(resolve);
    this.#asking?.stdin?.write(`${JSON.stringify({ connections: 1, bytes: 0, ...request })}\n`);
    return promise;
  }

  /** A kernel counter, over both ends since they were made. */
  count(name: TcpCounterName): number {
    return [this.client, this.server].reduce((sum, end) => sum + countAt(end, name), 0);
  }

  /** Ends all traffic without loss; resolves when the kernel retransmits nothing any more. */
  async quiet(): Promise<void> {
    for (const end of [this.client, this.server]) this.rules(end, []);
    await this.#endTraffic();
    for (let last = -1, now = this.count("RetransSegs"); now !== last; now = this.count("RetransSegs")) {
      last = now;
      await sleep(250);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#endTraffic();
    for (const name of [this.client, this.server]) {
      try {
        execFileSync("ip", ["netns", "del", name], { stdio: "ignore" });
      } catch {
        // It was not made.
      }
    }
  }

  #make(sysctls: Readonly<Record<string, number>>): void {
    const { client, server } = this;
    ip([], [`netns add ${client}`, `netns add ${server}`]);
    ip([], [`link add ${DEVICE} netns ${client} type veth peer name ${DEVICE} netns ${server}`]);
    for (const [name, host] of [
      [client, 1],
      [server, 2],
    ] as const) {
      const address = `${this.#prefix4}${host}`;
      ip(
        ["-n", name],
        [
          `addr add ${address}/24 dev ${DEVICE}`,
          `addr add ${this.#prefix6}${host}/64 dev ${DEVICE} nodad`,
          "link set lo up",
          `link set ${DEVICE} gso_max_segs 1 up`,
          `route replace ${this.#prefix4}0/24 dev ${DEVICE} src ${address} rto_min ${RTO_MIN}`,
          `route change ${this.#prefix6}/64 dev ${DEVICE} proto kernel metric 256 rto_min ${RTO_MIN}`,
        ],
      );
      const settings = Object.entries(sysctls).map(([key, value]) => `net.ipv4.${key}=${value}`);
      inside(name, ["sysctl", "-qw", "net.ipv4.tcp_congestion_control=reno", ...settings]);
    }
  }

  #spawn(namespace: string, args: readonly string[]): ChildProcess {
    const command = ["netns", "exec", namespace, process.execPath, TRAFFIC, ...args];
    const child = spawn("ip", command, { stdio: ["pipe", "pipe", "inherit"] });
    this.#children.push(child);
    return child;
  }

  async #endTraffic(): Promise<void> {
    // The asking end first: its resets end the connections of the other.
    for (const child of this.#children.splice(0).reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.stdin?.end();
      await once(child, "exit");
    }
  }
}

function countAt(end: string, name: TcpCounterName): number {
  const text = inside(end, ["cat", "/proc/net/snmp", "/proc/net/netstat"]);
  const value = parseTcpCounters(text, text)?.[name];
  if (value === undefined) throw new Error(`Cannot count: this kernel has no ${name}`);
  return Number(value);
}

function inside(namespace: string, command: readonly string[], input = ""): string {
  return execFileSync("ip", ["netns", "exec", namespace, ...command], { encoding: "utf8", input });
}

function ip(options: readonly string[], commands: readonly string[]): void {
  execFileSync("ip", [...options, "-batch", "-"], { input: `${commands.join("\n")}\n` });
}

function lines(child: ChildProcess): Interface {
  if (child.stdout === null) throw new TypeError("Cannot read from a child without a pipe");
  return createInterface({ input: child.stdout });
}
