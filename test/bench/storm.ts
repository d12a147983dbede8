import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

/** The port that tells the storm's lines from other traffic of the machine. */
export const STORM_PORT = 19_876;

export interface StormOptions {
  readonly connections: number;
  /** Data packets of a thousand that the receiver's firewall drops. */
  readonly lossPerMille: number;
  readonly mtu: number;
  /** Smallest retransmission timeout of the route, in ms. */
  readonly rtoMinMs: number;
}

/** What one blow of the storm was, by the sender's kernel. */
export interface Blow {
  readonly seconds: number;
  /** RetransSegs: with one segment a packet, the retransmits that were sent. */
  readonly retransmits: number;
}

/** Of sender and receiver. RFC 2544: for benchmarks. */
export const STORM_ADDRESSES = ["198.18.0.1", "198.18.0.2"] as const;
const [SENDER, HOST] = STORM_ADDRESSES;

/** Two namespaces of our own with a link between them that loses packets; disposing it removes them. */
export class Storm implements Disposable {
  readonly #options: StormOptions;
  readonly #sender: string;
  readonly #receiver: string;
  #server: ChildProcess | undefined;
  /** A namespace without a process is read in a more costly way, and a pod's never is without one. */
  #holder: ChildProcess | undefined;

  private constructor(options: StormOptions) {
    this.#options = options;
    this.#sender = `tcpretrans-bench-${process.pid}-a`;
    this.#receiver = `tcpretrans-bench-${process.pid}-b`;
  }

  static async open(options: StormOptions): Promise<Storm> {
    const storm = new Storm(options);
    try {
      storm.#link();
      storm.#holder = spawn("ip", ["netns", "exec", storm.#sender, "sleep", "infinity"], { stdio: "ignore" });
      const server = storm.#traffic(storm.#receiver, ["receive", String(STORM_PORT)]);
      storm.#server = server;
      if (server.stdout !== null) await once(server.stdout, "data");
      return storm;
    } catch (error) {
      storm[Symbol.dispose]();
      throw error;
    }
  }

  /** Blows for so long, as hard as it can or at a rate, and returns when the last retransmit is out. */
  async blow(seconds: number, { perSecond }: { readonly perSecond?: number } = {}): Promise<Blow> {
    const before = this.retransmits();
    const connections = String(this.#options.connections);
    const start = performance.now();
    const rate = perSecond === undefined ? [] : [String(perSecond)];
    const child = this.#traffic(this.#sender, ["send", HOST, String(STORM_PORT), connections, ...rate]);
    await setTimeout(seconds * 1000);
    child.kill("SIGTERM");
    await once(child, "exit");
    const elapsed = (performance.now() - start) / 1000; // a busy sender takes its time to hear the signal
    let last = this.retransmits();
    for (;;) {
      await setTimeout(200);
      const now = this.retransmits();
      if (now === last) break;
      last = now;
    }
    return { seconds: elapsed, retransmits: last - before };
  }

  /** RetransSegs of the sender's namespace. */
  retransmits(): number {
    const text = execFileSync("ip", ["netns", "exec", this.#sender, "cat", "/proc/net/snmp"], {
      encoding: "utf8",
    });
    const [names, values] = text.split("\n").filter((line) => line.startsWith("Tcp:"));
    const index = names?.split(" ").indexOf("RetransSegs") ?? -1;
    return Number(values?.split(" ")[index]);
  }

  [Symbol.dispose](): void {
    this.#server?.kill("SIGKILL");
    this.#holder?.kill("SIGKILL");
    for (const name of [this.#sender, this.#receiver]) {
      try {
        ip("netns", "del", name);
      } catch {
        // It was not made: the rest still goes.
      }
    }
  }

  #link(): void {
    const { mtu, rtoMinMs, lossPerMille } = this.#options;
    const ends = [
      [this.#sender, SENDER],
      [this.#receiver, HOST],
    ] as const;
    for (const [name] of ends) ip("netns", "add", name);
    ip(
      "link",
      "add",
      "bench0",
      "netns",
      this.#sender,
      "type",
      "veth",
      "peer",
      "bench0",
      "netns",
      this.#receiver,
    );
    for (const [name, address] of ends) {
      ip("-n", name, "addr", "add", `${address}/24`, "dev", "bench0");
      // One packet a segment: one event is one in RetransSegs.
      ip("-n", name, "link", "set", "bench0", "mtu", String(mtu), "gso_max_segs", "1", "up");
      ip(
        "-n",
        name,
        "route",
        "replace",
        "198.18.0.0/24",
        "dev",
        "bench0",
        "src",
        address,
        "rto_min",
        `${rtoMinMs}ms`,
      );
    }
    // Every kernel has reno, and lets a namespace choose it.
    const reno = ["sysctl", "-qw", "net.ipv4.tcp_congestion_control=reno"];
    execFileSync("ip", ["netns", "exec", this.#sender, ...reno]);
    // Packets without data get through: connections open at once.
    const rule = `tcp dport ${STORM_PORT} meta length > 100 numgen random mod 1000 < ${lossPerMille} drop`;
    const table = `table ip bench { chain arriving { type filter hook prerouting priority -300; ${rule}; }; }`;
    execFileSync("ip", ["netns", "exec", this.#receiver, "nft", "-f", "-"], { input: table });
  }

  #traffic(namespace: string, args: readonly string[]): ChildProcess {
    const script = join(import.meta.dirname, "storm-traffic.ts");
    const command = ["netns", "exec", namespace, process.execPath, script, ...args];
    return spawn("ip", command, { stdio: ["ignore", "pipe", "inherit"] });
  }
}

function ip(...args: readonly string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
}
