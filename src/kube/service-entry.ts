import type { ServiceRecord } from "../event/cluster.ts";
import type { Backing } from "./backends.ts";
import { copyText } from "./interner.ts";
import type { RosterEntry } from "./roster.ts";
import type { SlimService } from "./slim.ts";

/** Of most services; a list of each one's own would be 32 bytes. */
export const NONE: readonly string[] = [];

/** A service in memory. */
export class ServiceEntry implements ServiceRecord, RosterEntry {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** With its namespace. */
  readonly fullName: string;
  sharedAddresses: readonly string[] = NONE;
  seenIn = 0;
  removed = false;
  endedMs: number | undefined = undefined;
  /** One text where there is one: a list of it would be 56 bytes more. */
  #keys: string | readonly string[] = NONE;
  readonly #backingOf: (service: string) => Backing | undefined;
  #backing: Backing | undefined = undefined;

  constructor({ uid, namespace, name }: SlimService, backingOf: (service: string) => Backing | undefined) {
    this.uid = uid;
    this.namespace = namespace;
    this.name = name;
    const fullName = `${namespace}/${name}`;
    this.fullName = backingOf(fullName)?.service ?? copyText(fullName);
    this.#backingOf = backingOf;
  }

  /** What it is addressed with now. */
  get keys(): readonly string[] {
    return typeof this.#keys === "string" ? [this.#keys] : this.#keys;
  }

  set keys(keys: readonly string[]) {
    const [only, ...others] = keys;
    this.#keys = only === undefined || others.length > 0 ? keys : only;
  }

  /** The API itself gives its addresses, and takes them back with it. */
  get mayHaveEnded(): boolean {
    return this.endedMs !== undefined;
  }

  get noEndpointsSinceMs(): number | undefined {
    if (this.#backing?.forgotten !== false) this.#backing = this.#backingOf(this.fullName);
    return this.#backing?.noneSinceMs;
  }
}
