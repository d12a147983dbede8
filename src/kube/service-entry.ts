import type { ServiceRecord } from "../event/cluster.ts";
import type { RosterEntry } from "./roster.ts";
import type { SlimService } from "./slim.ts";

/** A service in memory. */
export class ServiceEntry implements ServiceRecord, RosterEntry {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** With its namespace: kept, since it is looked up by it for each event. */
  readonly fullName: string;
  /** What it is addressed with now. */
  keys: readonly string[] = [];
  sharedAddresses: readonly string[] = [];
  seenIn = 0;
  removed = false;
  endedMs: number | undefined = undefined;
  readonly #noneReadySinceMs: (service: string) => number | undefined;

  constructor(
    { uid, namespace, name }: SlimService,
    noneReadySinceMs: (service: string) => number | undefined,
  ) {
    this.uid = uid;
    this.namespace = namespace;
    this.name = name;
    this.fullName = `${namespace}/${name}`;
    this.#noneReadySinceMs = noneReadySinceMs;
  }

  /** The API itself gives its addresses, and takes them back with it. */
  get mayHaveEnded(): boolean {
    return this.endedMs !== undefined;
  }

  get noEndpointsSinceMs(): number | undefined {
    return this.#noneReadySinceMs(this.fullName);
  }
}
