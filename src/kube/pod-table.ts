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
import type { Tombstones } from "./tombstones.ts";
import { WaitingPods } from "./waiting-pods.ts";

export interface PodTableOptions {
  readonly tombstones: Tombstones;
  /** The node whose clock is the events' own. */
  readonly ownNode: string | undefined;
  /** What another node's clock may differ from it, in whole seconds. */
  readonly clockSlackSeconds: number;
  /** How long after a pod's first packet its kubelet may tell of its address. */
  readonly statusLagMs: number;
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
  #nowMs = Number.NEGATIVE_INFINITY;
  #isListing = false;
  /** Those that lasted before the list that comes in, and do not any more. */
  readonly #ceased = new Set<PodEntry>();

  constructor(options: PodTableOptions) {
    this.#options = options;
    this.#holds = new PodHolds(options.tombstones);
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
    this.#advance(nowMs);
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
    if (unixMs > this.#horizon.ms || this.#isForgotten(hold, unixMs)) return undefined;
    return this.#mayBeAnothers(hold, unixMs, undefined) ? undefined : hold.holder;
  }

  /** Whose an address was at a time: see AddressIntervals, and #mayBeAnothers() below. */
  at(address: string, unixMs: number): Hold<PodEntry> | typeof AMBIGUOUS | undefined {
    const hold =
      this.#holds.at(address, unixMs) ?? (this.#wake(address) ? this.#holds.at(address, unixMs) : undefined);
    if (hold === undefined || hold === AMBIGUOUS) return hold;
    hold.holder.pin();
    if (unixMs > this.#horizon.ms || this.#isForgotten(hold, unixMs)) return AMBIGUOUS;
    return this.#mayBeAnothers(hold, unixMs, address) ? AMBIGUOUS : hold;
  }

  /** Whose an address was at a time at which its holder answered. */
  answering(address: string, unixMs: number): Hold<PodEntry> | typeof AMBIGUOUS | undefined {
    const hold =
      this.#holds.answering(address, unixMs) ??
      (this.#wake(address) ? this.#holds.answering(address, unixMs) : undefined);
    if (hold === undefined || hold === AMBIGUOUS) return hold;
    hold.holder.pin();
    if (unixMs > this.#horizon.ms || this.#isForgotten(hold, unixMs)) return AMBIGUOUS;
    if (this.#isForgotten(hold, unixMs - LAST_WORD_MS)) return AMBIGUOUS;
    // Whoever is known to have had it later is over.
    return this.#mayBeAnothers(hold, unixMs, undefined) ? AMBIGUOUS : hold;
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

  #advance(nowMs: number): void {
    if (nowMs > this.#nowMs) this.#nowMs = nowMs;
  }

  #see(slim: SlimPod, receivedMs: number, endedMs: number | undefined): PodEntry {
    this.#advance(receivedMs);
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
    this.#advance(receivedMs);
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

  /**
   * Whether one that is forgotten, after its time or to make room, may have been meant: since this one let go of the
   * address, or before it certainly had it; of those that had to make room also since then, if it may have let go.
   */
  #isForgotten(hold: Hold<PodEntry>, unixMs: number): boolean {
    const { tombstones, statusLagMs } = this.#options;
    const { bounds, droppedUntilMs, areShort } = tombstones;
    const { releasedMs } = hold;
    const forgottenMs = this.#nowMs - bounds.keepMs;
    if (releasedMs !== undefined && unixMs >= releasedMs) {
      // Its successor's end may have been told of before its own.
      return releasedMs - TELLING_MS <= droppedUntilMs || releasedMs - statusLagMs < forgottenMs;
    }
    if (unixMs < hold.certainMs) return areShort || hold.earliestMs - TELLING_MS <= forgottenMs;
    if (unixMs < hold.lastSureMs || hold.lasts) return false;
    return unixMs - TELLING_MS <= droppedUntilMs || (releasedMs !== undefined && unixMs < forgottenMs);
  }

  /**
   * Whether a pod that the API has not told the address of may have had this one: on the same node, so short a time ago
   * that its kubelet need not have told yet, and after the last holder, if that may have let go of it, or before one
   * that need not have had it. Without an address the hold is the last.
   */
  #mayBeAnothers(hold: Hold<PodEntry>, unixMs: number, address: string | undefined): boolean {
    const { nodeName, mayHaveEnded } = hold.holder;
    if (this.#waiting.count === 0 || nodeName === undefined) return false;
    if (unixMs < this.#nowMs - this.#options.statusLagMs) return false;
    if (unixMs < hold.certainMs && this.#waiting.anyOver(nodeName, unixMs)) return true;
    const mayBeOver = (mayHaveEnded || hold.releasedMs !== undefined) && unixMs >= hold.lastSureMs;
    if (!mayBeOver || !this.#waiting.any(nodeName, unixMs)) return false;
    return address === undefined || this.#holds.isNewest(address, hold);
  }
}

/** An end may be told so long after it, and that of one that is deleted by force so long before. */
const TELLING_MS = 10_000;

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
