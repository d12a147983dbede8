import type { PodEntry } from "./pod-entry.ts";

/** Pods that are on a node but without an address as far as the API has told: each may have one already. */
export class WaitingPods {
  readonly #byNode = new Map<string, Set<PodEntry>>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Nodes with such pods. */
  get nodes(): Iterable<string> {
    return this.#byNode.keys();
  }

  /** Looks at a pod anew after each change of it. */
  note(pod: PodEntry, waits: boolean): void {
    if (pod.nodeName === undefined) return;
    const known = this.#byNode.get(pod.nodeName);
    if (known?.has(pod) === waits || (known === undefined && !waits)) return;
    this.#count += waits ? 1 : -1;
    if (known === undefined) this.#byNode.set(pod.nodeName, new Set([pod]));
    else if (waits) known.add(pod);
    else if (known.delete(pod) && known.size === 0) this.#byNode.delete(pod.nodeName);
  }

  /** Whether one on a node can have had an address at a time. */
  any(nodeName: string, unixMs: number): boolean {
    return this.#some(nodeName, (pod) => unixMs >= pod.earliestMs);
  }

  /** Whether one on a node can have had an address at a time, and let go of it by now. */
  anyOver(nodeName: string, unixMs: number): boolean {
    return this.#some(nodeName, (pod) => pod.mayHaveEnded && unixMs >= pod.earliestMs);
  }

  #some(nodeName: string, is: (pod: PodEntry) => boolean): boolean {
    const pods = this.#byNode.get(nodeName);
    if (pods === undefined) return false;
    for (const pod of pods) if (is(pod)) return true;
    return false;
  }
}
