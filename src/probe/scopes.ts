import type { SocketKey } from "../event/tcp-event.ts";
import type { Scope } from "./cause.ts";
import type { ProbeRecord } from "./probe-record.ts";

/** Calls deep that one context can be in at once; entries beyond it are returns that were missed. */
const DEPTH = 8;
/** Contexts kept: more than run at once; older ones are returns that were missed. */
const CONTEXTS = 1024;

interface Call {
  readonly scope: Exclude<Scope, undefined>;
  readonly key: SocketKey;
}

/**
 * Which of the scoped functions is running, per context. A function's entry and return see the same task (a softirq keeps
 * the interrupted one) or, where that is the idle task, the same CPU; calls of one context nest.
 */
export class Scopes {
  readonly #calls = new Map<number, Call[]>();

  push(record: ProbeRecord): void {
    switch (record.role) {
      case "reordering_enter":
        this.#enter(record, "reordering");
        return;
      case "mtu_enter":
        this.#enter(record, "mtu");
        return;
      case "reordering_return":
        this.#leave(record, "reordering");
        return;
      case "mtu_return":
        this.#leave(record, "mtu");
        return;
      default:
        return;
    }
  }

  /** The innermost scoped function that runs for the record's own socket in its context. */
  of(record: ProbeRecord): Scope {
    if (this.#calls.size === 0) return undefined;
    return this.#calls.get(context(record))?.findLast((call) => call.key === record.key)?.scope;
  }

  #enter(record: ProbeRecord, scope: Call["scope"]): void {
    const calls = this.#calls.get(context(record)) ?? [];
    // The same call again means that its return was missed.
    const open = calls.filter((call) => call.key !== record.key || call.scope !== scope).slice(1 - DEPTH);
    this.#calls.delete(context(record));
    this.#calls.set(context(record), [...open, { scope, key: record.key }]);
    if (this.#calls.size <= CONTEXTS) return;
    const [oldest] = this.#calls.keys();
    if (oldest !== undefined) this.#calls.delete(oldest);
  }

  #leave(record: ProbeRecord, scope: Call["scope"]): void {
    const calls = this.#calls.get(context(record));
    const at = calls?.findLastIndex((call) => call.scope === scope) ?? -1;
    if (calls === undefined || at < 0) return;
    if (at === 0) this.#calls.delete(context(record));
    else this.#calls.set(context(record), calls.slice(0, at));
  }
}

function context(record: ProbeRecord): number {
  return record.pid !== 0 ? record.pid : -1 - record.cpu;
}
