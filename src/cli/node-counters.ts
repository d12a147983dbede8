import { setTimeout as sleep } from "node:timers/promises";
import type { Witness } from "../agent/pump.ts";
import type { TcpEvent } from "../event/tcp-event.ts";
import type { PodCounterReading } from "../export/pod-counters.ts";
import { NamespaceCounterReader } from "../host/namespace-counters.ts";
import { READ_SLACK_NANOS } from "../reconcile/bracket.ts";
import { Coverage } from "../reconcile/coverage.ts";
import type { Sight } from "../reconcile/sight.ts";
import type { Observation } from "../reconcile/tally.ts";
import type { Libc } from "../syscall/libc.ts";
import { type CountersRead, readNamespaces } from "./read-namespaces.ts";

/** A capture that is compared with the counters. */
export interface ComparedCapture {
  readonly sight: Sight;
  /** Resolves when all that was recorded so far has been observed. */
  readonly settle: () => Promise<void>;
  /** CLOCK_MONOTONIC at the capture's epoch, in ns. */
  readonly epochNanos: bigint;
}

export interface NodeCountersOptions {
  readonly procRoot: string;
  readonly libc: Libc | undefined;
  /** Undefined where nothing can be captured: then only pods' counters are read. */
  readonly capture: ComparedCapture | undefined;
  /** Uid of the pod that a network namespace is of; undefined: no pod's. */
  readonly podOf: (netns: number) => string | undefined;
  readonly podCounters: (uid: string, reading: PodCounterReading) => void;
}

/** From one reading of the counters to the next. */
const EVERY_MS = 10_000;
/** Looks at the counters at the start until nothing is retransmitted meanwhile. */
const BASELINE_TRIES = 10;

/** What the kernel counts in every network namespace of the node: beside what is seen, and for each pod. */
export class NodeCounters implements Witness {
  /** Undefined where nothing is captured. */
  readonly coverage: Coverage | undefined;
  readonly #options: NodeCountersOptions;
  /** Of the last reading, by namespace; undefined before the first. */
  #before: ReadonlyMap<number, CountersRead> | undefined;

  constructor(options: NodeCountersOptions) {
    this.#options = options;
    this.coverage = options.capture && new Coverage(options.capture.sight);
  }

  observe(observation: Observation): void {
    this.coverage?.observe(observation);
  }

  consume(events: readonly TcpEvent[]): void {
    if (this.coverage !== undefined) for (const event of events) this.coverage.observe(event);
  }

  /** Takes what the counters stand at; the pump must run. */
  async begin(): Promise<void> {
    const { coverage } = this;
    for (let tries = BASELINE_TRIES; tries > 0; tries--) {
      coverage?.hold();
      const reads = await this.#readAll();
      if (coverage === undefined || coverage.baseline(reads)) return;
    }
  }

  /** Reads the counters once more; the pump must run. */
  async read(): Promise<void> {
    this.coverage?.hold();
    const reads = await this.#readAll();
    this.coverage?.reading(reads);
  }

  /** Reads them again and again until the signal. */
  async follow(signal: AbortSignal): Promise<void> {
    await this.begin();
    while (!signal.aborted) {
      await sleep(EVERY_MS, undefined, { signal }).catch(() => {});
      if (!signal.aborted) await this.read();
    }
  }

  async #readAll(): Promise<readonly CountersRead[]> {
    const { procRoot, libc, capture } = this.#options;
    await using reader = new NamespaceCounterReader({ procRoot, libc });
    const reads = await readNamespaces(reader, { procRoot, epochNanos: capture?.epochNanos ?? 0n });
    this.#tellPods(reads);
    if (capture !== undefined) {
      // What runs shortly after the read is as ambiguous as what runs during it.
      await sleep(Math.ceil(READ_SLACK_NANOS / 1e6) + 1);
      await capture.settle();
    }
    return reads;
  }

  #tellPods(reads: readonly CountersRead[]): void {
    const { podOf, podCounters } = this.#options;
    for (const { netns, counters } of reads) {
      const uid = podOf(netns);
      if (uid === undefined || "missing" in counters) continue;
      const { OutSegs: sent, RetransSegs: retransmitted } = counters;
      if (sent === undefined || retransmitted === undefined) continue;
      podCounters(uid, { netns, sent, retransmitted, isWhole: this.#isNew(netns, sent) });
    }
    this.#before = new Map(reads.map((read) => [read.netns, read]));
  }

  /** Whether a namespace is younger than the reading before: the kernel gives a number that is free again to the next. */
  #isNew(netns: number, sent: bigint): boolean {
    if (this.#before === undefined) return false;
    const before = this.#before.get(netns)?.counters;
    if (before === undefined) return true;
    return !("missing" in before) && before.OutSegs !== undefined && sent < before.OutSegs;
  }
}
