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
  readonly #options: NodeCountersOptions;
  #compared: (ComparedCapture & { readonly coverage: Coverage }) | undefined;
  /** What knows the counters' values that it compares from. */
  #based: Coverage | undefined;
  /** Ends the wait for the next reading. */
  #wake = new AbortController();
  /** Of the last reading, by namespace; undefined before the first. */
  #before: ReadonlyMap<number, CountersRead> | undefined;

  constructor(options: NodeCountersOptions) {
    this.#options = options;
  }

  /** Undefined where nothing is captured: then only pods' counters are read. */
  get coverage(): Coverage | undefined {
    return this.#compared?.coverage;
  }

  /** Compares what this capture sees from now on. */
  compare(capture: ComparedCapture): void {
    this.#compared = { ...capture, coverage: new Coverage(capture.sight) };
    this.#wake.abort();
  }

  observe(observation: Observation): void {
    this.coverage?.observe(observation);
  }

  consume(events: readonly TcpEvent[]): void {
    if (this.coverage !== undefined) for (const event of events) this.coverage.observe(event);
  }

  /** Reads the counters once more; while something is captured the pump must run. */
  async read(): Promise<void> {
    const coverage = this.#based;
    coverage?.hold();
    const reads = await this.#readAll();
    coverage?.reading(reads);
  }

  /** Reads them again and again until the signal. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { coverage } = this;
      if (coverage === undefined || coverage === this.#based) await this.read();
      else await this.#begin(coverage);
      await this.#pause(signal);
    }
  }

  /** Takes what the counters stand at. */
  async #begin(coverage: Coverage): Promise<void> {
    for (let tries = BASELINE_TRIES; tries > 0; tries--) {
      coverage.hold();
      const reads = await this.#readAll();
      this.#based = coverage;
      if (coverage.baseline(reads)) return;
    }
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.#wake.signal]);
    await sleep(EVERY_MS, undefined, { signal: either }).catch(() => {});
    this.#wake = new AbortController();
  }

  async #readAll(): Promise<readonly CountersRead[]> {
    const { procRoot, libc } = this.#options;
    const capture = this.#compared;
    const reader = new NamespaceCounterReader({ procRoot, libc });
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
