import { CidrTable } from "./cidr-table.ts";

/** Ranges of the cluster's pods, services and nodes, each as often as somebody names it. */
export class ClusterRanges {
  readonly #counts = new CidrTable<number>();

  /** Adds a range, or an address as the range of itself; says whether the text is one. */
  add(cidr: string): boolean {
    if (!this.#counts.isRange(cidr)) return false;
    this.#counts.set(cidr, (this.#counts.get(cidr) ?? 0) + 1);
    return true;
  }

  remove(cidr: string): void {
    const count = this.#counts.get(cidr) ?? 0;
    if (count > 1) this.#counts.set(cidr, count - 1);
    else this.#counts.delete(cidr);
  }

  has(address: string): boolean {
    return this.#counts.find(address) !== undefined;
  }
}
