import type { PodRecord, ServiceNaming } from "../../event/cluster.ts";

/** Pods that something is kept for; a node has 110 by default and seldom more than 250. */
const MAX_PODS = 512;

interface Entry<T> {
  readonly pod: PodRecord;
  readonly naming: ServiceNaming | undefined;
  readonly made: T;
}

/**
 * Keeps what is made for each pod: makes it anew when the pod's labels or annotations have changed, lets it go when the pod
 * is gone, and of too many the one used longest ago.
 */
export class PerPod<T> {
  readonly #make: (pod: PodRecord) => T;
  /** By uid, the one used longest ago first. */
  readonly #entries = new Map<string, Entry<T>>();

  constructor(make: (pod: PodRecord) => T) {
    this.#make = make;
  }

  /** How many pods something is kept for. */
  get size(): number {
    return this.#entries.size;
  }

  get(pod: PodRecord): T {
    const entry = this.#entries.get(pod.uid);
    if (entry === undefined) this.#makeRoom();
    else this.#entries.delete(pod.uid);
    const isCurrent = entry !== undefined && entry.naming === pod.naming;
    const kept = isCurrent ? entry : { pod, naming: pod.naming, made: this.#make(pod) };
    this.#entries.set(pod.uid, kept);
    return kept.made;
  }

  #makeRoom(): void {
    for (const [uid, { pod }] of this.#entries) if (pod.endedMs !== undefined) this.#entries.delete(uid);
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined && this.#entries.size >= MAX_PODS) this.#entries.delete(oldest);
  }
}
