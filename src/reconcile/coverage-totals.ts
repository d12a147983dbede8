import { type CounterName, type Facts, IDENTITIES, type Identity } from "./identities.ts";
import { type Observation, Tally } from "./tally.ts";

/** One quantity as events tell it and as the kernel counted it, up to the same readings. */
export interface Covered {
  seen: number;
  kernel: number;
}

/** What was seen of the kernel's truth since the beginning: each number only grows. */
export interface CoverageTotals {
  readonly segments: Covered;
  readonly lossProbes: Covered;
  /** Network namespaces that were gone, or replaced, at a reading: what they did since the one before is in neither number. */
  namespacesLeftOut: number;
  /** Segments that were seen, and left out for it, or since their namespace could not be read before. */
  segmentsLeftOut: number;
}

/** What the kernel counted between two readings, and what was seen of it. */
export interface SeenWindow extends Facts {
  /** What ran during the read that closes it, in the order of time: the counters may have it or not. */
  readonly inside: readonly Observation[];
}

interface LeftOut {
  readonly tally: Tally;
  readonly namespaces: number;
}

export function newCoverageTotals(): CoverageTotals {
  const [segments, lossProbes] = [
    { seen: 0, kernel: 0 },
    { seen: 0, kernel: 0 },
  ];
  return { segments, lossProbes, namespacesLeftOut: 0, segmentsLeftOut: 0 };
}

/** Adds a window, and of what ran during its read, one after the other, what the counters have; gives the rest. */
export function addWindow(totals: CoverageTotals, { inside, ...facts }: SeenWindow): readonly Observation[] {
  const { tally, kernel } = facts;
  const rooms = quantitiesOf(totals).map(([covered, identity]) => {
    const others = identity.terms(facts).reduce((sum, { min }) => sum + min, 0);
    const counted = Math.max(0, (kernel.moved[identity.counter] ?? 0) - others);
    covered.kernel += counted;
    return { identity, left: Math.max(0, counted - identity.seen(tally)) };
  });
  const later: Observation[] = [];
  for (const observation of inside) {
    const one = new Tally();
    one.add(observation);
    if (rooms.some(({ identity, left }) => identity.seen(one) > left)) later.push(observation);
    else {
      tally.add(observation);
      for (const room of rooms) room.left -= room.identity.seen(one);
    }
  }
  addSeen(totals, tally);
  return later;
}

/** Adds what was seen alone, where the kernel's count of it is in another window. */
export function addSeen(totals: CoverageTotals, tally: Tally): void {
  for (const [covered, identity] of quantitiesOf(totals)) covered.seen += identity.seen(tally);
}

/** Leaves what was seen out of both numbers, since so many namespaces are gone, and with them what the kernel counted. */
export function leaveOut(totals: CoverageTotals, { tally, namespaces }: LeftOut): void {
  totals.namespacesLeftOut += namespaces;
  totals.segmentsLeftOut += SEGMENTS.seen(tally);
}

function quantitiesOf(totals: CoverageTotals): readonly (readonly [Covered, Identity])[] {
  return [
    [totals.segments, SEGMENTS],
    [totals.lossProbes, LOSS_PROBES],
  ];
}

const SEGMENTS = identityOf("RetransSegs");
const LOSS_PROBES = identityOf("TCPLossProbes");

function identityOf(counter: CounterName): Identity {
  const identity = IDENTITIES.find((one) => one.counter === counter);
  if (identity === undefined) throw new TypeError(`Cannot compare: no identity for ${counter}`);
  return identity;
}
