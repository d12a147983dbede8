import { AMBIGUOUS, type Hold } from "./address-intervals.ts";
import { Horizon } from "./horizon.ts";
import { copyText } from "./interner.ts";
import { PackedPods } from "./packed-pods.ts";
import { PodEntry } from "./pod-entry.ts";
import { LAST_WORD_MS, PodHolds } from "./pod-holds.ts";
import { PodSharing } from "./pod-sharing.ts";
import type { ResourceSink } from "./resource-sink.ts";
import { Roster } from "./roster.ts";
import type { SlimPod } from "./slim.ts";
import { UnknownHolders, type UnknownHoldersOptions } from "./unknown-holders.ts";
import { WaitingPods } from "./waiting-pods.ts";

export interface PodTableOptions extends Pick<UnknownHoldersOptions, "tombstones" | "statusLagMs"> {
  /** The node whose clock is the events' own. */
  readonly ownNode: string | undefined;
  /** What another node's clock may differ from it, in whole seconds. */
  readonly clockSlackSeconds: number;
}

/** Every pod that is known, by uid and by address and time. */
export class PodTable implements ResourceSink<SlimPod> {
  readonly #options: PodTableOptions;
  readonly #roster = new Roster<PodEntry>();
  /** Those that nobody has asked for: neither in the roster nor in the holds. */
  readonly #packed = new PackedPods();
  readonly #byConfigHash = new Map<string, PodEntry>();
  /** Pods of the own node that the API has, by uid. */
  readonly #own = new Map<string, PodEntry>();
  readonly #holds: PodHolds;
  readonly #waiting = new WaitingPods();
  readonly #sharing = new PodSharing();
  readonly #horizon = new Horizon();
  readonly #unknown: UnknownHolders;
  #isListing = false;
  /** Those that lasted before the list that comes in, and do not any more. */
  readonly #ceased = new Set<PodEntry>();

  constructor(options: PodTableOptions) {
    this.#options = options;
    this.#holds = new PodHolds(options.tombstones);
    const known = { horizon: this.#horizon, waiting: this.#waiting, holds: this.#holds };
    this.#unknown = new UnknownHolders({ ...options, ...known });
  }

  get size(): number {
    return this.#roster.size + this.#packed.size;
  }

  /** Pods of the own node that are not over. */
  *own(): Generator<PodEntry> {
    for (const pod of this.#own.values()) if (pod.endedMs === undefined) yield pod;
  }

  /** Pods on a node whose address the API has not told yet. */
  get waiting(): number {
    return this.#waiting.count;
  }

  /** Nodes with such pods. */
  get waitingNodes(): Iterable<string> {
    return this.#waiting.nodes;
  }

  /** Up to when all is told of pods, as far as is known. */
  get toldUntilMs(): number {
    return this.#horizon.ms;
  }

  /** Tells what time it is; to be called a few times a second, or after a rest that was meant. */
  clock(nowMs: number, restedMs: number): void {
    this.#unknown.advance(nowMs);
    this.#horizon.tick(nowMs, restedMs);
  }

  byUid(uid: string): PodEntry | undefined {
    const pod =
      this.#roster.get(uid) ?? this.#byConfigHash.get(uid) ?? this.#unpacked(this.#packed.takeUid(uid));
    pod?.pin();
    return pod;
  }

  hasAddress(address: string): boolean {
    return this.#holds.hasAddress(address) || this.#packed.hasAddress(address);
  }

  hostPort(port: number, nodeOrAddress: string, unixMs: number): PodEntry | undefined {
    const hold = this.#holds.hostPort(port, nodeOrAddress, unixMs);
    if (hold === undefined || hold === AMBIGUOUS) return undefined;
    return this.#unknown.any(hold, unixMs) ? undefined : hold.holder;
  }

  /** Whose an address was at a time: see AddressIntervals and UnknownHolders. */
  at(address: string, unixMs: number): Hold<PodEntry> | typeof AMBIGUOUS | undefined {
    const hold =
      this.#holds.at(address, unixMs) ?? (this.#wake(address) ? this.#holds.at(address, unixMs) : undefined);
    if (hold === undefined || hold === AMBIGUOUS) return hold;
    hold.holder.pin();
    return this.#unknown.any(hold, unixMs, { address }) ? AMBIGUOUS : hold;
  }

  /** Whose an address was at a time at which its holder answered. */
  answering(address: string, unixMs: number): Hold<PodEntry> | typeof AMBIGUOUS | undefined {
    const hold =
      this.#holds.answering(address, unixMs) ??
      (this.#wake(address) ? this.#holds.answering(address, unixMs) : undefined);
    if (hold === undefined || hold === AMBIGUOUS) return hold;
    hold.holder.pin();
    if (this.#unknown.forgotten(hold, unixMs - LAST_WORD_MS)) return AMBIGUOUS;
    // Whoever is known to have had it later is over.
    return this.#unknown.any(hold, unixMs) ? AMBIGUOUS : hold;
  }

  replaceBegin(): void {
    this.#roster.beginList();
    this.#isListing = true;
  }

  upsert(slim: SlimPod, receivedMs: number): void {
    if (slim.writtenSeconds !== undefined && !this.#isListing)
      this.#horizon.told(slim.writtenSeconds, receivedMs);
    const wasOver = this.#roster.get(slim.uid)?.endedMs !== undefined;
    const pod = this.#see(slim, receivedMs, slim.terminal ? endMs(slim, receivedMs) : undefined);
    // One that is being deleted is buried when it is gone, soon; else its addresses are free while it stays.
    if (pod.endedMs === undefined || wasOver || pod.terminatingSinceMs !== undefined) return;
    const { tombstones } = this.#options;
    tombstones.add(() => pod.endedMs !== undefined && this.#holds.drop(pod), receivedMs);
  }

  remove(slim: SlimPod, receivedMs: number): void {
    if (this.#roster.get(slim.uid)?.removed) return;
    const isOver = slim.terminal || slim.finished;
    const pod = this.#see(slim, receivedMs, isOver ? endMs(slim, receivedMs) : receivedMs);
    this.#bury(pod, receivedMs);
  }

  replaceEnd(receivedMs: number): void {
    this.#isListing = false;
    for (const pod of this.#packed.takeUnseen(this.#roster.list)) this.#unpacked(pod);
    for (const pod of this.#roster.missing()) {
      if (pod.lasts) this.#ceased.add(pod);
      pod.endedMs ??= receivedMs;
      this.#bury(pod, receivedMs);
    }
    // A list tells of a successor at times before the end of whom it followed, who seemed to have the address still.
    for (const pod of this.#ceased) this.#holds.replace(pod);
    this.#ceased.clear();
  }

  #see(slim: SlimPod, receivedMs: number, endedMs: number | undefined): PodEntry {
    this.#unknown.advance(receivedMs);
    const known = this.#roster.get(slim.uid) ?? this.#unpacked(this.#packed.takeUid(slim.uid));
    for (const address of slim.addresses) this.#wake(address);
    const shared = this.#sharing.parts(slim, known);
    const pod = known ?? new PodEntry(copyText(slim.uid), copyText(slim.name), shared);
    const { ownNode, clockSlackSeconds } = this.#options;
    const slackSeconds = slim.nodeName === ownNode ? 0 : clockSlackSeconds;
    const { lastSureMs } = pod;
    const lasted = known?.lasts === true;
    pod.update(slim, shared, slackSeconds);
    this.#roster.set(pod);
    this.#roster.seen(pod);
    // The newest of a static pod's mirror pods has it, whatever is still told of the others.
    if (pod.configHash !== undefined && known === undefined) this.#byConfigHash.set(pod.configHash, pod);
    // A list may be older than the watch before it: what was gone is back until it is told of again.
    if (pod.removed) pod.endedMs = undefined;
    pod.removed = false;
    pod.endedMs ??= endedMs;
    if (this.#isListing && lasted && !pod.lasts) this.#ceased.add(pod);
    this.#holds.follow(pod, { slim, receivedMs, slackSeconds, lastSureMs });
    this.#waiting.note(pod, isWaiting(pod));
    if (ownNode !== undefined && slim.nodeName === ownNode) this.#own.set(pod.uid, pod);
    else if (this.#holds.isOnly(pod) && this.#packed.add(pod)) {
      this.#holds.drop(pod);
      this.#roster.delete(pod);
    }
    return pod;
  }

  /** Makes a pod that was packed one of the others again. */
  #unpacked(pod: PodEntry | undefined): PodEntry | undefined {
    if (pod === undefined) return undefined;
    this.#roster.set(pod);
    this.#holds.restore(pod);
    return pod;
  }

  /** Whether an address is that of a pod that was packed until now. */
  #wake(address: string): boolean {
    return this.#packed.size > 0 && this.#unpacked(this.#packed.takeAddress(address)) !== undefined;
  }

  #bury(pod: PodEntry, receivedMs: number): void {
    this.#unknown.advance(receivedMs);
    pod.removed = true;
    this.#own.delete(pod.uid);
    this.#waiting.note(pod, false);
    this.#options.tombstones.add(() => pod.removed && this.#forget(pod), receivedMs);
  }

  #forget(pod: PodEntry): void {
    this.#holds.drop(pod);
    this.#roster.delete(pod);
    const { configHash } = pod;
    if (configHash !== undefined && this.#byConfigHash.get(configHash) === pod) {
      this.#byConfigHash.delete(configHash);
    }
  }
}

/** Whether it may have an address that the API has not told yet. */
function isWaiting(pod: PodEntry): boolean {
  const isOnNode = pod.nodeName !== undefined && !pod.hostNetwork;
  return isOnNode && pod.addresses === undefined && pod.endedMs === undefined;
}

/**
 * By when a pod had let go of its addresses: with its sandbox, else with its last container, never after we heard of it.
 * The API tells whole seconds, cut off: it may have had them until the end of that second.
 */
function endMs({ networkGoneSeconds, finishedSeconds }: SlimPod, receivedMs: number): number {
  if (finishedSeconds === undefined) return receivedMs;
  const seconds = Math.max(finishedSeconds, networkGoneSeconds ?? 0);
  return Math.min((seconds + 1) * 1000, receivedMs);
}
