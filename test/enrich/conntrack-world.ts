import { HostConntrack } from "../../src/host/conntrack.ts";
import {
  type ConntrackAnswer,
  type ConntrackPair,
  NO_ENTRY,
  NO_SOURCE_COUNTS,
  UNTRANSLATED,
} from "../../src/host/conntrack-answer.ts";
import type { ConnectionPlan } from "./connection-world.ts";
import { isSamePair, type NamedSocket } from "./named-sockets.ts";

/** Of openHostConntrack(), where netlink answers. */
const AGES = { entry: 10_000, none: 1000, refresh: Number.POSITIVE_INFINITY };

/** The agent's own look-ups and memory, over entries as they truly are at the time of the question. */
export function conntrackWorld(sockets: readonly NamedSocket[], now: () => number): HostConntrack {
  const counts = NO_SOURCE_COUNTS;
  return new HostConntrack({
    source: () => ({ counts, ask: (pair) => answer(sockets, pair, now()), [Symbol.dispose]: () => {} }),
    ...{ way: "netlink", note: undefined, now, ages: AGES, maxConnections: 1000 },
  });
}

function answer(sockets: readonly NamedSocket[], pair: ConntrackPair, nowMs: number): ConntrackAnswer {
  for (const { fields, entries, plan } of sockets) {
    if (!isSamePair(fields, pair)) continue;
    const entry = entries.find(({ fromMs, untilMs }) => fromMs <= nowMs && nowMs < untilMs);
    if (entry === undefined) continue;
    if (!isTranslated(plan)) return UNTRANSLATED;
    const side = plan.side === "client" ? "backend" : "client";
    return { kind: "entry", translation: { address: entry.address, port: 8080, side } };
  }
  return NO_ENTRY;
}

/** Whether the socket's peer stands for another. */
export function isTranslated({ side, path }: ConnectionPlan): boolean {
  return side === "client" ? path === "service" : path === "masquerade";
}
