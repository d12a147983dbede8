import fc from "fast-check";
import type { SlimPod } from "../../src/kube/slim.ts";
import { aPod } from "./slim-objects.ts";

/** How a pod's time with an address went; durations in ms. */
export interface LifePlan {
  readonly address: number;
  /** From its predecessor's release to its own gain. */
  readonly gapMs: number;
  /** From the kubelet's taking it up to the gain, which may reach back into its predecessor's time. */
  readonly startMs: number;
  readonly runMs: number;
  readonly end: "deleted" | "forced" | "completed";
  /** From the last container's end to the release. */
  readonly teardownMs: number;
  /** From something's happening to the kubelet's telling of it. */
  readonly lagMs: number;
  /** From its end to the object's. */
  readonly lingerMs: number;
}

/** One thing that the API server wrote: a pod's new state, or its last one. */
export interface Write {
  readonly atMs: number;
  readonly slim: SlimPod;
  readonly isDelete: boolean;
}

/** What truly happened. */
export interface Life {
  readonly name: string;
  readonly address: string;
  readonly createdMs: number;
  readonly startedMs: number;
  readonly gainedMs: number;
  readonly releasedMs: number;
  /** When the API was told of the address. */
  readonly toldMs: number;
  /** When the API was told of its end, if it was. */
  readonly overToldMs: number;
  /** When anybody could know that it may be over. */
  readonly doubtedMs: number;
  readonly writes: readonly Write[];
}

/** Addresses of the world and whose they are; node-a is the one that tells the time. */
export const ADDRESSES = ["10.0.1.5", "10.0.1.6", "10.0.2.5", "10.0.2.6"] as const;
/** What a node's clock shows more than node-a's, in ms: within the slack of a second. */
const SKEWS = { "node-a": 0, "node-b": 850 } as const;

export const lifePlans: fc.Arbitrary<readonly LifePlan[]> = fc.array(
  fc.record({
    address: fc.nat(ADDRESSES.length - 1),
    gapMs: fc.oneof(fc.nat(50), fc.nat(20_000)),
    startMs: fc.oneof(fc.integer({ min: 300, max: 2500 }), fc.integer({ min: 300, max: 60_000 })),
    runMs: fc.oneof(fc.integer({ min: 20, max: 3000 }), fc.integer({ min: 20, max: 60_000 })),
    end: fc.constantFrom("deleted", "forced", "completed"),
    teardownMs: fc.integer({ min: 10, max: 600 }),
    lagMs: fc.integer({ min: 10, max: 1400 }),
    lingerMs: fc.oneof(fc.nat(200), fc.nat(120_000)),
  }),
  { minLength: 2, maxLength: 24 },
);

/** Lets the plans happen, each on its address after the one before it. Unix ms from 1,000,000,000 on. */
export function happen(plans: readonly LifePlan[]): readonly Life[] {
  const freeMs = new Map<string, number>();
  return plans.map((plan, i) => {
    const address = ADDRESSES[plan.address] ?? ADDRESSES[0];
    const gainedMs = (freeMs.get(address) ?? 1e9 + 100_000) + plan.gapMs;
    const life = live(`p${i}`, { plan, address, gainedMs });
    freeMs.set(address, life.releasedMs);
    return life;
  });
}

interface Fate {
  readonly plan: LifePlan;
  readonly address: string;
  readonly gainedMs: number;
}

function live(name: string, { plan, address, gainedMs }: Fate): Life {
  const nodeName = address.startsWith("10.0.1.") ? "node-a" : "node-b";
  const onClock = (ms: number) => Math.floor((ms + SKEWS[nodeName]) / 1000);
  const startedMs = gainedMs - plan.startMs;
  const createdMs = startedMs - 250;
  // A pod that is forced away before its address was told leaves nothing that could tell of it.
  const leastMs = plan.end === "forced" ? plan.lagMs + 500 : 0;
  const finishedMs = gainedMs + Math.max(plan.runMs, leastMs);
  const releasedMs = finishedMs + plan.teardownMs;
  const runsOnce = plan.end === "completed";
  const toldMs = gainedMs + plan.lagMs;
  const askedMs = Math.max(createdMs + 1, finishedMs - 400);
  // A life too short to be told of while it lasted is told of at its end, and no later.
  const overToldMs = toldMs < releasedMs ? releasedMs + plan.lagMs : Math.max(releasedMs + 10, toldMs);
  const goneMs = plan.end === "forced" ? askedMs : overToldMs + plan.lingerMs;

  const uid = `0f3c1f0e-6f0d-4b57-9d2c-${name.slice(1).padStart(12, "0")}`;
  const identity = { uid, name, nodeName, endsByItself: runsOnce, ready: false };
  const created = aPod({
    ...identity,
    addresses: [],
    startSeconds: Math.floor(createdMs / 1000),
    networkSeconds: undefined,
    readySeconds: undefined,
  });
  const started = { ...created, startSeconds: onClock(startedMs) };
  const running = { ...started, addresses: [address], networkSeconds: onClock(toldMs) };
  const over = {
    ...running,
    networkSeconds: undefined,
    networkGoneSeconds: onClock(overToldMs),
    finishedSeconds: onClock(finishedMs),
    finished: true,
    terminal: true,
  };
  const asked = { terminatingSeconds: Math.floor(askedMs / 1000) };
  const writes: Write[] = [];
  const write = (atMs: number, slim: SlimPod, isDelete = false) => {
    // Nothing follows a delete; the kubelet tells one thing after the other.
    if (atMs <= goneMs) writes.push({ atMs, slim, isDelete });
  };
  const stateAt = (ms: number) => (ms >= toldMs ? running : ms >= startedMs + 50 ? started : created);
  write(createdMs, created);
  write(startedMs + 50, started);
  if (toldMs < releasedMs) write(toldMs, runsOnce || toldMs < askedMs ? running : { ...running, ...asked });
  if (!runsOnce) write(askedMs, { ...stateAt(askedMs), ...asked }, plan.end === "forced");
  if (plan.end !== "forced") {
    const last = runsOnce ? over : { ...over, ...asked };
    write(overToldMs, last);
    write(goneMs, last, true);
  }
  writes.sort((a, b) => a.atMs - b.atMs);
  const telling = writes.find(({ slim }) => slim.addresses.length > 0);
  return {
    name,
    address,
    createdMs,
    startedMs,
    gainedMs,
    releasedMs,
    toldMs: telling?.atMs ?? Number.POSITIVE_INFINITY,
    overToldMs,
    doubtedMs: runsOnce ? createdMs : askedMs,
    writes,
  };
}
