import type { ServiceRecord } from "../event/cluster.ts";
import type { Backing } from "./backends.ts";
import type { RosterEntry } from "./roster.ts";
import type { SlimService } from "./slim.ts";

/** A service in memory. */
export class ServiceEntry implements ServiceRecord, RosterEntry {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** With its namespace. */
  readonly fullName: string;
  /** What it is addressed with now. */
  keys: readonly string[] = [];
  sharedAddresses: readonly string[] = [];
  seenIn = 0;
  removed = false;
  endedMs: number | undefined = undefined;
  readonly #backingOf: (service: string) => Backing | undefined;
  #backing: Backing | undefined = undefined;

  constructor({ uid, namespace, name }: SlimService, backingOf: (service: string) => Backing | undefined) {
    this.uid = uid;
    this.namespace = namespace;
    this.name = name;
    this.fullName = `${namespace}/${name}`;
    this.#backingOf = backingOf;
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
