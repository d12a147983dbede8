import type { HostLookup, NamespaceOwner, PodSight } from "../../src/enrich/lookups.ts";
import type { Life } from "../kube/address-world.ts";

/** A pod's network namespace, which sockets may keep when the pod is gone. */
export interface Namespace {
  readonly life: Life;
  readonly inum: number;
  readonly freedMs: number;
}

/** How often /proc is looked through, and how long numbers of namespaces are remembered. */
const LOOK_MS = 1000;
const REMEMBER_MS = 120_000;

/** The kernel gives the lowest free number to the next namespace. */
export function giveNumbers(lives: readonly Life[], freedMs: (life: Life) => number): readonly Namespace[] {
  const given: Namespace[] = [];
  for (const life of [...lives].sort((a, b) => a.gainedMs - b.gainedMs)) {
    let inum = 4026532000;
    while (given.some((other) => other.inum === inum && other.freedMs > life.gainedMs)) inum++;
    given.push({ life, inum, freedMs: freedMs(life) });
  }
  return given;
}

export interface HostWorldOptions {
  readonly lives: readonly Life[];
  readonly namespaces: readonly Namespace[];
  readonly hostAddress: string;
  /** Namespaces of pods are in sight. */
  readonly sees: boolean;
  /** Unix time in ms. */
  readonly now: () => number;
}

/** What node-a knows of its own pods: as much as /proc and the cgroups tell at the time of the question. */
export function hostWorld({ lives, namespaces, hostAddress, sees, now }: HostWorldOptions): HostLookup {
  const uids = new Map(lives.map((life) => [cgroupOf(life), life]));
  return {
    cgroup: (id) => {
      const life = uids.get(id);
      if (life === undefined || now() < life.gainedMs) return undefined;
      return { kind: "pod", podUid: uidOf(life), containerId: undefined };
    },
    namespace: (inum) => namespaceOwner(namespaces, inum, now()),
    podsWithAddress: (address, fromMs, untilMs) =>
      sees ? podsSeen(lives, { address, fromMs, untilMs, nowMs: now() }) : undefined,
    isHostAddress: (address) => address === hostAddress,
  };
}

export function uidOf({ writes }: Life): string {
  return writes[0]?.slim.uid ?? "";
}

/** Cgroups' numbers are not used again. */
export function cgroupOf(life: Life): bigint {
  return 1000n + BigInt(life.name.slice(1));
}

/** As NamespaceOwners tells it: who holds the number now, else who held it last. */
function namespaceOwner(
  namespaces: readonly Namespace[],
  inum: number,
  nowMs: number,
): NamespaceOwner | undefined {
  const holder = namespaces.findLast((each) => each.inum === inum && each.life.gainedMs <= nowMs);
  if (holder === undefined || nowMs >= holder.life.releasedMs + REMEMBER_MS) return undefined;
  return { kind: "pod", podUid: uidOf(holder.life) };
}

interface Question {
  readonly address: string;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly nowMs: number;
}

/** As PodAddresses tells it. */
function podsSeen(
  lives: readonly Life[],
  { address, fromMs, untilMs, nowMs }: Question,
): PodSight | undefined {
  const lookedMs = lookBefore(nowMs);
  let found: Life | undefined;
  let isSure = untilMs <= lookedMs;
  for (const life of lives) {
    const firstMs = lookBefore(life.gainedMs) + LOOK_MS;
    const goneMs = lookBefore(life.finishedMs) + LOOK_MS;
    const isHere = life.address === address && wasSeen(life) && firstMs <= nowMs;
    if (!isHere || untilMs <= firstMs - LOOK_MS || (goneMs <= nowMs && fromMs >= goneMs)) continue;
    isSure ||= nowMs < life.finishedMs;
    if (found !== undefined) return { kind: "several" };
    found = life;
  }
  if (!isSure) return { kind: "stale" };
  return found === undefined ? undefined : { kind: "one", podUid: uidOf(found) };
}

/** Whether a look met its namespace while its processes ran. */
export function wasSeen({ gainedMs, finishedMs }: Life): boolean {
  return lookBefore(gainedMs) !== lookBefore(finishedMs);
}

function lookBefore(ms: number): number {
  return Math.floor(ms / LOOK_MS) * LOOK_MS;
}
