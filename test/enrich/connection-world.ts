import fc from "fast-check";
import { TCP_FIN_WAIT1, TCP_NEW_SYN_RECV, TCP_SYN_SENT } from "../../src/event/kernel-tcp.ts";
import type { Cause } from "../../src/event/tcp-event.ts";
import { ADDRESSES, holderAt, type Life } from "../kube/address-world.ts";

/** Data that is sent once nothing is on its way, and what becomes of it; durations in ms. */
export interface StallPlan {
  readonly afterMs: number;
  /** Sendings that are lost, the first ones. */
  readonly lost: number;
  /** It is sent again once, by acknowledgements of what came after it. */
  readonly isFast: boolean;
}

/** How a connection of a pod on node-a goes. */
export interface ConnectionPlan {
  readonly side: "client" | "server";
  /** As the socket sees its peer: a pod's address, a service's, a port of node-b, node-a's own in place of the client's. */
  readonly path: "direct" | "service" | "hostPort" | "masquerade";
  /** Which pod of node-a has the socket, and which address or pod is at the other end. */
  readonly local: number;
  readonly peer: number;
  /** From the local pod's first moment. */
  readonly afterMs: number;
  readonly port: number;
  readonly roundMs: number;
  /** SYNs or SYN-ACKs that are lost, the first ones. */
  readonly lostSyns: number;
  readonly stalls: readonly StallPlan[];
  /** Sendings of the last FIN that are lost. */
  readonly lostFins: number;
  /** How long connection tracking keeps an entry without a packet. */
  readonly entryMs: number;
}

/** One sending again, and who was truly there. */
export interface Resend {
  readonly atMs: number;
  readonly state: number;
  readonly cause: Cause;
  /** When the peer answered last. */
  readonly ackMs: number | undefined;
  /** Undefined: nobody has ever had the address. */
  readonly peer: Life | undefined;
}

/** What connection tracking says of a socket's pair in a stretch of time. */
export interface Entry {
  readonly address: string;
  readonly fromMs: number;
  untilMs: number;
}

/** A socket's whole life; one that answers has one for the request and one for the connection. */
export interface Socket {
  readonly plan: ConnectionPlan;
  readonly local: Life;
  /** The pod's address at the other end, where nothing hides it. */
  readonly destination: string;
  readonly beganMs: number;
  readonly endedMs: number;
  readonly resends: readonly Resend[];
  readonly entries: readonly Entry[];
}

export const connectionPlans: fc.Arbitrary<readonly ConnectionPlan[]> = fc.array(
  fc.record({
    side: fc.constantFrom("client", "client", "server"),
    path: fc.constantFrom("direct", "direct", "service", "hostPort", "masquerade"),
    local: fc.nat(30),
    peer: fc.nat(30),
    afterMs: fc.oneof(fc.nat(2000), fc.nat(60_000)),
    port: fc.nat(3),
    roundMs: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 250 })),
    lostSyns: fc.oneof(fc.constant(0), fc.nat(5)),
    stalls: fc.array(
      fc.record({
        afterMs: fc.oneof(fc.nat(3000), fc.nat(90_000)),
        lost: fc.oneof(fc.constant(1), fc.nat(5)),
        isFast: fc.boolean(),
      }),
      { maxLength: 4 },
    ),
    lostFins: fc.oneof(fc.constant(0), fc.nat(4)),
    entryMs: fc.oneof(fc.constant(432_000_000), fc.integer({ min: 500, max: 30_000 })),
  }),
  { minLength: 1, maxLength: 16 },
);

/** tcp_syn_retries, tcp_synack_retries, tcp_retries2 and what tcp_orphan_retries comes to. */
const RETRIES = { syn: 6, synAck: 5, data: 15, orphan: 8 } as const;

/** An entry of a connection that is not open yet lasts longer than the agent remembers it, but for want of room. */
const SYN_ENTRY_MS = 15_000;

/**
 * Every socket that a plan makes on node-a. An answer that would still be on its way when its sender's address is free
 * does not come.
 */
export function connect(plan: ConnectionPlan, lives: readonly Life[]): readonly Socket[] {
  const locals = lives.filter(({ address }) => address.startsWith("10.0.1."));
  const local = locals[plan.local % Math.max(1, locals.length)];
  if (local === undefined) return [];
  const beganMs = local.gainedMs + (plan.afterMs % Math.max(1, local.finishedMs - local.gainedMs));
  return plan.side === "client"
    ? dial({ plan, local, lives, beganMs })
    : accept({ plan, local, lives, beganMs });
}

interface Course {
  readonly plan: ConnectionPlan;
  readonly local: Life;
  readonly lives: readonly Life[];
  readonly beganMs: number;
}

function dial(course: Course): readonly Socket[] {
  const { plan, local, lives, beganMs } = course;
  const resends: Resend[] = [];
  const route = new Route(course);
  const socket = (endedMs: number) => [
    { plan, local, destination: route.address, beganMs, endedMs, resends, entries: route.entries },
  ];
  for (let k = 0; k <= RETRIES.syn; k++) {
    const atMs = beganMs + (2 ** k - 1) * 1000;
    if (atMs >= local.finishedMs) return socket(local.finishedMs);
    const to = route.at(atMs, true);
    const there = holderAt(lives, to, atMs);
    const peer = there ?? lastHolder(lives, to, atMs);
    if (there === undefined && plan.path === "hostPort") return socket(atMs);
    if (k > 0) resends.push({ atMs, state: TCP_SYN_SENT, cause: "syn", ackMs: undefined, peer });
    if (k < plan.lostSyns || there === undefined) continue;
    if (atMs >= there.finishedMs) return socket(atMs);
    const ackMs = atMs + plan.roundMs;
    if (ackMs >= there.releasedMs) continue;
    return socket(talk({ ...course, peer: there, ackMs, route, resends }));
  }
  return socket(beganMs + 127_000);
}

function accept(course: Course): readonly Socket[] {
  const { plan, local, lives, beganMs } = course;
  const clients = lives.filter(
    (life) => life !== local && life.gainedMs <= beganMs && beganMs < life.finishedMs,
  );
  const peer = clients[plan.peer % Math.max(1, clients.length)];
  if (peer === undefined) return [];
  const route = new Route({ ...course, client: peer });
  const requests: Resend[] = [];
  const request = (endedMs: number) => ({
    ...{
      plan,
      local,
      destination: route.address,
      beganMs,
      endedMs,
      resends: requests,
      entries: route.entries,
    },
  });
  for (let k = 0; k <= RETRIES.synAck; k++) {
    const atMs = beganMs + (2 ** k - 1) * 1000;
    if (atMs >= local.finishedMs) return [request(local.finishedMs)];
    route.at(atMs, true);
    if (k > 0) requests.push({ atMs, state: TCP_NEW_SYN_RECV, cause: "syn_ack", ackMs: undefined, peer });
    const there = holderAt(lives, peer.address, atMs);
    if (k < plan.lostSyns || there === undefined) continue;
    if (there !== peer || atMs >= peer.finishedMs) return [request(atMs)];
    const resends: Resend[] = [];
    const ackMs = atMs + plan.roundMs;
    if (ackMs >= peer.releasedMs) continue;
    const endedMs = talk({ ...course, peer, ackMs, route, resends });
    return [request(ackMs), { ...request(endedMs), beganMs: ackMs, resends }];
  }
  return [request(beganMs + 63_000)];
}

interface Talk extends Course {
  readonly peer: Life;
  readonly ackMs: number;
  readonly route: Route;
  readonly resends: Resend[];
}

/** What an open connection sends again; gives the time of its end. */
function talk({ plan, local, peer, lives, ackMs: openMs, route, resends }: Talk): number {
  let ackMs = openMs;
  const closedMs = Math.max(openMs, local.finishedMs);
  const fin: StallPlan = { afterMs: 0, lost: plan.lostFins, isFast: false };
  for (const stall of [...plan.stalls, fin]) {
    const sentMs = stall === fin ? closedMs : ackMs + stall.afterMs;
    if (sentMs > closedMs) continue;
    if (stall.isFast && sentMs < peer.finishedMs && sentMs < closedMs) {
      ackMs = sentMs;
      resends.push({ atMs: sentMs + 2, state: 1, cause: "fast", ackMs, peer });
      continue;
    }
    const rtoMs = 200 + plan.roundMs;
    let orphan = 0;
    let isOver = false;
    for (let k = 0; k <= RETRIES.data && !isOver; k++) {
      const atMs = sentMs + delayMs(k, rtoMs);
      const isOrphan = atMs >= local.finishedMs;
      if (isOrphan && orphan++ > RETRIES.orphan) return atMs;
      const state = isOrphan ? TCP_FIN_WAIT1 : 1;
      if (k > 0) resends.push({ atMs, state, cause: "timeout", ackMs, peer });
      if (atMs >= local.releasedMs) continue;
      const there = holderAt(lives, route.at(atMs, false), atMs);
      if (k < stall.lost || there === undefined) continue;
      // Who does not know the connection answers with a reset.
      if (there !== peer || atMs >= peer.finishedMs) return atMs + plan.roundMs;
      if (atMs + plan.roundMs >= Math.min(local.releasedMs, peer.releasedMs)) continue;
      ackMs = atMs + plan.roundMs;
      isOver = true;
    }
    if (!isOver) return sentMs + delayMs(RETRIES.data + 1, rtoMs);
  }
  return ackMs;
}

/** From the first sending to the one after `k` timeouts: each is twice as long as the one before, two minutes at most. */
function delayMs(k: number, rtoMs: number): number {
  let ms = 0;
  for (let i = 0; i < k; i++) ms += Math.min(rtoMs * 2 ** i, 120_000);
  return ms;
}

/** Where packets of a connection truly go, by the entries of connection tracking. */
class Route {
  readonly entries: Entry[] = [];
  readonly #course: Course & { readonly client?: Life };

  constructor(course: Course & { readonly client?: Life }) {
    this.#course = course;
  }

  get address(): string {
    const { plan, client } = this.#course;
    if (client !== undefined) return client.address;
    return ADDRESSES[plan.path === "hostPort" ? 3 : plan.peer % ADDRESSES.length] ?? ADDRESSES[0];
  }

  /** The address that a packet goes to; one that begins a connection may be led anywhere. */
  at(atMs: number, begins: boolean): string {
    const { plan, client } = this.#course;
    const { address } = this;
    if (client === undefined && plan.path !== "service") return address;
    const last = this.entries.at(-1);
    if (last !== undefined && (atMs < last.untilMs || !begins)) {
      if (atMs < last.untilMs) last.untilMs = atMs + Math.max(plan.entryMs, begins ? SYN_ENTRY_MS : 0);
      return last.address;
    }
    const picked = ADDRESSES[(plan.peer + this.entries.length) % ADDRESSES.length] ?? address;
    const untilMs = atMs + Math.max(plan.entryMs, SYN_ENTRY_MS);
    this.entries.push({ address: client?.address ?? picked, fromMs: atMs, untilMs });
    return client?.address ?? picked;
  }
}

/** Who had an address last before a time. */
function lastHolder(lives: readonly Life[], address: string, ms: number): Life | undefined {
  return lives.findLast((life) => life.address === address && life.gainedMs <= ms);
}
