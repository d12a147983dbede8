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
  /** Its last container's end. */
  readonly finishedMs: number;
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
/** What clocks show more than node-a's, in ms: within the slack of a second. */
export interface Skews {
  readonly api: number;
  readonly nodeB: number;
}

const SKEWS: Skews = { api: 0, nodeB: 850 };

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
export function happen(plans: readonly LifePlan[], skews: Skews = SKEWS): readonly Life[] {
  const freeMs = new Map<string, number>();
  return plans.map((plan, i) => {
    const address = ADDRESSES[plan.address] ?? ADDRESSES[0];
    const gainedMs = (freeMs.get(address) ?? 1e9 + 100_000) + plan.gapMs;
    const life = live(`p${i}`, { plan, address, gainedMs, skews });
    freeMs.set(address, life.releasedMs);
    return life;
  });
}

interface Fate {
  readonly plan: LifePlan;
  readonly address: string;
  readonly gainedMs: number;
  readonly skews: Skews;
}

function live(name: string, { plan, address, gainedMs, skews }: Fate): Life {
  const nodeName = address.startsWith("10.0.1.") ? "node-a" : "node-b";
  const skewMs = nodeName === "node-a" ? 0 : skews.nodeB;
  const onClock = (ms: number) => Math.floor((ms + skewMs) / 1000);
  const onServer = (ms: number) => Math.floor((ms + skews.api) / 1000);
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
    startSeconds: onServer(createdMs),
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
  const asked = { terminatingSeconds: onServer(askedMs) };
  const writes: Write[] = [];
  const write = (atMs: number, slim: SlimPod, isDelete = false) => {
    // Nothing follows a delete; the kubelet tells one thing after the other.
    if (atMs <= goneMs) writes.push({ atMs, slim, isDelete });
  };
  const stateAt = (ms: number) => (ms >= toldMs ? running : ms >= startedMs + 50 ? started : created);
  write(createdMs, created);
  const isAsked = (ms: number) => !runsOnce && ms >= askedMs;
  write(startedMs + 50, isAsked(startedMs + 50) ? { ...started, ...asked } : started);
  if (toldMs < releasedMs) write(toldMs, isAsked(toldMs) ? { ...running, ...asked } : running);
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
    finishedMs,
    releasedMs,
    toldMs: telling?.atMs ?? Number.POSITIVE_INFINITY,
    overToldMs,
    doubtedMs: runsOnce ? createdMs : askedMs,
    writes,
  };
}

/** Who truly had an address, and so could answer. */
export function holderAt(lives: readonly Life[], address: string, unixMs: number): Life | undefined {
  const isThere = (life: Life) =>
    life.address === address && life.gainedMs <= unixMs && unixMs < life.releasedMs;
  return lives.find(isThere);
}

/** Whether a pod was gone from the API by a time: an agent that began then cannot know it. */
export function isGoneBy({ writes }: Life, ms: number): boolean {
  return writes.some((write) => write.isDelete && write.atMs <= ms);
}
