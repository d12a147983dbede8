import { copyText } from "./interner.ts";
import type { Tombstones } from "./tombstones.ts";

/** What stands behind a service. */
export interface Backing {
  /** `namespace/name`. */
  readonly service: string;
  slices: number;
  ready: number;
  /** Unix time in ms since which `ready` is 0. */
  noneSinceMs: number | undefined;
  /** Another stands for the service's name by now, or none. */
  forgotten: boolean;
}

/** What a change of one of a service's slices brings. */
export interface BackingChange {
  /** Slices and ready endpoints more, or less. */
  readonly slices: number;
  readonly ready: number;
  /** When something changed by the slice's own word. */
  readonly changedSeconds: number | undefined;
  readonly receivedMs: number;
}

/** How many endpoints of each service are ready, over all of its slices. */
export class Backends {
  readonly #tombstones: Tombstones;
  readonly #nameOf: (service: string) => string | undefined;
  readonly #byService = new Map<string, Backing>();

  /** `nameOf` gives a name as whoever knows the service has it already: one text for both. */
  constructor(tombstones: Tombstones, nameOf: (service: string) => string | undefined) {
    this.#tombstones = tombstones;
    this.#nameOf = nameOf;
  }

  /** What stands behind a service, until that is forgotten; undefined where no slice of it was ever seen. */
  find(service: string): Backing | undefined {
    return this.#byService.get(service);
  }

  of(name: string): Backing {
    let backing = this.#byService.get(name);
    if (backing === undefined) {
      const service = this.#nameOf(name) ?? copyText(name);
      backing = { service, slices: 0, ready: 0, noneSinceMs: undefined, forgotten: false };
      this.#byService.set(service, backing);
    }
    return backing;
  }

  change(backing: Backing, { slices, ready, changedSeconds, receivedMs }: BackingChange): void {
    const isNew = backing.slices === 0;
    backing.slices += slices;
    backing.ready += ready;
    if (backing.ready > 0) backing.noneSinceMs = undefined;
    // Seen without any from the start: since its last change at least.
    else if (isNew && changedSeconds !== undefined) {
      backing.noneSinceMs ??= Math.min(changedSeconds * 1000, receivedMs);
    } else backing.noneSinceMs ??= receivedMs;
    if (backing.slices === 0) this.#tombstones.add(() => this.#forget(backing), receivedMs);
  }

  #forget(backing: Backing): void {
    if (backing.slices > 0 || backing.forgotten) return;
    backing.forgotten = true;
    this.#byService.delete(backing.service);
  }
}
