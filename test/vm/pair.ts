import { setTimeout as sleep } from "node:timers/promises";
import { run } from "../lab/run.ts";
import { type Counters, Namespace } from "./namespace.ts";
import { type Place, TcpSocket } from "./tcp-socket.ts";

/** What the network stack of a guest on a slow processor may take for anything. */
const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 40;

export type Family = 4 | 6;

/** Packets that carry at least 100 bytes of data, and not one that carries none. */
const DATA = "meta length > 150";

/** Two namespaces and the link between them, with a router in the middle where one is asked for. */
export class Pair {
  readonly name: string;
  readonly client: Namespace;
  readonly server: Namespace;
  readonly router: Namespace | undefined;
  /** Where the server listens; the port is this pair's alone. */
  readonly place: Place;
  readonly family: Family;

  private constructor(plan: PairPlan) {
    this.name = plan.name;
    this.family = plan.family;
    this.place = { address: plan.address("server"), port: plan.port };
    this.client = new Namespace(plan.namespace("client"));
    this.server = new Namespace(plan.namespace("server"));
    this.router = plan.routed ? new Namespace(plan.namespace("router")) : undefined;
  }

  /** Makes the namespaces, links and addresses of many pairs. */
  static async create(plans: readonly PairPlan[]): Promise<readonly Pair[]> {
    await run("ip", ["-batch", "-"], { input: plans.flatMap((plan) => plan.links()).join("\n") });
    await run("sh", ["-s"], { input: plans.flatMap((plan) => plan.addressing()).join("\n") });
    const pairs = plans.map((plan) => new Pair(plan));
    for (const pair of pairs) {
      pair.router?.set("ipv4/ip_forward", 1);
      pair.router?.set("ipv6/conf/all/forwarding", 1);
      for (const end of [pair.client, pair.server]) end.set("ipv4/tcp_slow_start_after_idle", 0);
    }
    return pairs;
  }

  /** An established connection whose round-trip time is known and whose window has grown. */
  async connect(): Promise<Flow> {
    const [flow] = await this.connectMany(1);
    flow!.client.sendAtOnce(true);
    for (let i = 0; i < 6; i++) {
      for (let j = 0; j < 5 << i && j < 20; j++) flow!.client.send(2896);
      await flow!.delivered();
    }
    return flow!;
  }

  /** Connections just established. */
  async connectMany(count: number): Promise<readonly Flow[]> {
    const listener = TcpSocket.listen(this.server, this.place);
    const clients = Array.from({ length: count }, () => TcpSocket.connect(this.client, this.place));
    const servers: TcpSocket[] = [];
    await until("a connection", () => {
      for (let next = listener.accept(); next !== undefined; next = listener.accept()) servers.push(next);
      return servers.length === count;
    });
    return clients.map((client) => new Flow(client, servers));
  }

  /**
   * Loses packets on their way into a namespace: those that match, or of these only some by their number (from 0).
   * The sender sees nothing of it.
   */
  async lose(where: "client" | "server", what: { readonly match?: string; readonly which?: string } = {}) {
    const which = what.which === undefined ? "" : `numgen inc mod 1000000 ${what.which}`;
    await this.#rule(where, "prerouting", `${what.match ?? DATA} ${which} drop`);
  }

  /** Refuses the client's data on its way out (the sender gets -EPERM). */
  async refuse(): Promise<void> {
    await this.#rule("client", "output", `${DATA} drop`);
  }

  /** Takes back `lose` and `refuse`. */
  async pass(where: "client" | "server"): Promise<void> {
    await this[where].run("nft", "flush ruleset");
  }

  /** Replaces the queueing discipline of an end's link. */
  async queue(where: "client" | "server", qdisc: string): Promise<void> {
    await this[where].run("tc", `qdisc replace dev wire root ${qdisc}`);
  }

  async unqueue(where: "client" | "server"): Promise<void> {
    await this[where].run("tc", "qdisc del dev wire root");
  }

  /** Sets the smallest retransmission timeout towards the server. */
  async minimalTimeout(ms: number): Promise<void> {
    await this.client.run("ip", `route add ${this.place.address} dev wire rto_min ${ms}ms`);
  }

  /** Waits until a counter of an end is at least `least`. */
  async counted(where: "client" | "server", counter: string, least: number): Promise<void> {
    await until(`${counter} of ${least}`, () => (this[where].counters()[counter] ?? 0) >= least);
  }

  /** Counters of both ends together. */
  counters(): Counters {
    const sum: Record<string, number> = { ...this.client.counters() };
    for (const [name, value] of Object.entries(this.server.counters())) sum[name] = (sum[name] ?? 0) + value;
    return sum;
  }

  async #rule(where: "client" | "server", hook: string, rule: string): Promise<void> {
    const chain = `chain ${hook} {\ntype filter hook ${hook} priority -300\n${rule}\n}`;
    await this[where].run("nft", "-f -", `table inet lab {\n${chain}\n}\n`);
  }
}

/** A client's socket with the server's that take what it sends. */
export class Flow {
  readonly client: TcpSocket;
  readonly servers: readonly TcpSocket[];

  constructor(client: TcpSocket, servers: readonly TcpSocket[]) {
    this.client = client;
    this.servers = servers;
  }

  /** Sends `count` writes, each at once a packet (or a super-packet) of its own. */
  burst(count: number, length: number): void {
    for (let i = 0; i < count; i++) this.client.send(length);
  }

  /** Waits until the server has read all that was sent. */
  async delivered(): Promise<void> {
    await deliveredAll([this]);
  }
}

/** Waits until the servers of flows that were made together have read all. */
export async function deliveredAll(flows: readonly Flow[]): Promise<void> {
  const servers = new Set(flows.flatMap((flow) => flow.servers));
  await until("delivery", () => {
    for (const server of servers) server.drain();
    const received = [...servers].reduce((sum, server) => sum + server.received, 0);
    return received === flows.reduce((sum, flow) => sum + flow.client.sent, 0);
  });
}

/** Looks until it is so. */
export async function until(what: string, isSo: () => boolean, everyMs = LOOK_EVERY_MS): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!isSo()) {
    if (performance.now() > deadline)
      throw new Error(`Cannot go on: no ${what} after ${PATIENCE_MS / 1000} s`);
    await sleep(everyMs);
  }
}

/** Names and addresses of one pair, all made from its number. */
export class PairPlan {
  readonly name: string;
  readonly family: Family;
  readonly routed: boolean;
  readonly port: number;
  readonly #number: number;

  constructor(number: number, { name, family, routed }: { name: string; family: Family; routed: boolean }) {
    this.name = name;
    this.family = family;
    this.routed = routed;
    this.port = 20_000 + number;
    this.#number = number;
  }

  namespace(side: "client" | "server" | "router"): string {
    return `${this.name}-${this.family}-${side}`;
  }

  /** The server's network is another one when a router leads there. */
  address(
    side: "client" | "server" | "router",
    network: "client" | "server" = side === "client" ? "client" : "server",
  ) {
    const host = { client: 1, server: 2, router: 3 }[side];
    const far = this.routed && network === "server";
    if (this.family === 4) return `10.${far ? 78 : 77}.${this.#number}.${host}`;
    return `fd${far ? 78 : 77}:${this.#number}::${host}`;
  }

  links(): readonly string[] {
    const sides = this.routed ? (["client", "router", "server"] as const) : (["client", "server"] as const);
    const added = sides.map((side) => `netns add ${this.namespace(side)}`);
    const veth = (a: string, nameA: string, b: string, nameB: string) =>
      `link add ${nameA} netns ${a} type veth peer name ${nameB} netns ${b}`;
    const [client, router, server] = (["client", "router", "server"] as const).map((side) =>
      this.namespace(side),
    );
    if (!this.routed) return [...added, veth(client!, "wire", server!, "wire")];
    return [...added, veth(client!, "wire", router!, "near"), veth(router!, "far", server!, "wire")];
  }

  /** A shell script, since starting programs from here costs a slow processor more than from a small shell. */
  addressing(): readonly string[] {
    const sides = this.routed ? (["client", "router", "server"] as const) : (["client", "server"] as const);
    return sides.flatMap((side) => [
      `ip -n ${this.namespace(side)} -batch - <<END`,
      ...this.#addresses(side),
      "END",
    ]);
  }

  #addresses(side: "client" | "server" | "router"): readonly string[] {
    const prefix = this.family === 4 ? "/24" : "/64 nodad";
    const links = side === "router" ? (["near", "far"] as const) : (["wire"] as const);
    const lines = ["link set lo up"];
    for (const link of links) {
      const network = link === "near" ? "client" : link === "far" ? "server" : undefined;
      lines.push(`addr add ${this.address(side, network)}${prefix} dev ${link}`, `link set ${link} up`);
    }
    if (this.routed && side !== "router") {
      lines.push(`route add default via ${this.address("router", side)}`);
    }
    return lines;
  }
}
