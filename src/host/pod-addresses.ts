import { readFileSync } from "node:fs";
import { ExpiringMap } from "./expiring-map.ts";
import { parseFibTrie, parseIfInet6 } from "./host-addresses.ts";
import type { Holding } from "./namespace-holders.ts";
import { readNamespaceInum } from "./network-namespaces.ts";

/** A network namespace that processes of a pod are in. */
export interface PodNamespace {
  readonly holding: Holding;
  readonly podUid: string;
}

/** Who can have had an address in a stretch of time, as far as the namespaces of this host tell. */
export type PodSight =
  | { readonly kind: "one"; readonly podUid: string }
  /** More than one. */
  | { readonly kind: "several" }
  /** It was not looked at since. */
  | { readonly kind: "stale" };

export interface PodAddressesOptions {
  readonly procRoot: string;
  /** Unix time in ms: the clock that events are told by. */
  readonly unixMs: () => number;
}

/** A pod's time in a namespace. Times are Unix milliseconds. */
interface Stay extends PodNamespace {
  addresses: readonly string[];
  /** The last look before it was met: it may have begun right after. */
  readonly afterMs: number;
  /** Then it was there still. */
  lastMs: number;
  /** The first look that did not meet it any more; Infinity while it is there. */
  goneMs: number;
  readonly firstMs: number;
  /** When its addresses were read. */
  readMs: number;
}

/** Some runtimes start a pod's first process before its network is there: a young namespace is read again and again. */
const FILL = { everyMs: 500, forMs: 10_000, emptyForMs: 60_000 };
/** How long a stay is taken to last without another look. */
const VERIFY_MS = 100;
/** How long a look that met an address nowhere counts: a little longer than from one refresh to the next. */
const ABSENT = { ttlMs: 1_500, maxSize: 5_000 };
/** Of stays that are over: sockets may outlive them by minutes. */
const REMEMBER = { ms: 600_000, maxSize: 5_000 };

/**
 * Which pod of this host has had an address, by the network namespaces themselves: they tell it seconds before the API
 * does, and for certain, since a pod's processes have ended before its address is given to another.
 */
export class PodAddresses {
  readonly #options: PodAddressesOptions;
  readonly #living = new Map<Holding, Stay>();
  readonly #byAddress = new Map<string, Stay[]>();
  readonly #absent = new ExpiringMap<string, true>(ABSENT);
  /** Over, from old to new. */
  #gone: Stay[] = [];
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(options: PodAddressesOptions) {
    this.#options = options;
  }

  /** Pods in their namespaces now, and those remembered. */
  get counts(): { readonly living: number; readonly remembered: number } {
    return { living: this.#living.size, remembered: this.#gone.length };
  }

  /** Takes what a look at every namespace has met; the addresses of new ones alone are read. */
  follow(namespaces: Iterable<PodNamespace>): void {
    const nowMs = this.#options.unixMs();
    for (const namespace of namespaces) {
      if (namespace.holding.pids.size === 0) continue;
      const known = this.#living.get(namespace.holding);
      const stay = known?.podUid === namespace.podUid ? known : this.#begin(namespace, nowMs);
      stay.lastMs = nowMs;
      if (isToBeRead(stay, nowMs)) this.#readAddresses(stay, nowMs);
    }
    for (const stay of this.#living.values()) if (stay.lastMs !== nowMs) this.#end(stay, nowMs);
    this.#lookedMs = nowMs;
    this.#absent.expire(nowMs);
    this.#forget(nowMs);
  }

  /** Who can have had an address at some time between two; undefined where nobody can. */
  at(address: string, fromMs: number, untilMs: number): PodSight | undefined {
    const stays = this.#byAddress.get(address);
    if (stays === undefined && this.#absent.get(address, untilMs)) return undefined;
    let found: Stay | undefined;
    let isSure = untilMs <= this.#lookedMs;
    for (const stay of stays ?? []) {
      if (untilMs <= stay.afterMs || fromMs >= stay.goneMs) continue;
      isSure ||= this.#lasts(stay, untilMs);
      if (found !== undefined && found.podUid !== stay.podUid) return { kind: "several" };
      found = stay;
    }
    if (!isSure) return { kind: "stale" };
    if (found !== undefined) return { kind: "one", podUid: found.podUid };
    if (stays === undefined) this.#absent.set(address, true, this.#options.unixMs());
    return undefined;
  }

  /** Whether a stay lasts to a time at least; its namespace's number may be another's by now. */
  #lasts(stay: Stay, untilMs: number): boolean {
    if (stay.goneMs !== Infinity) return false;
    if (untilMs <= stay.lastMs + VERIFY_MS) return true;
    const { procRoot, unixMs } = this.#options;
    for (const pid of stay.holding.pids) {
      if (readNamespaceInum(pid, { procRoot }) !== stay.holding.inum) return false;
      stay.lastMs = unixMs();
      return true;
    }
    return false;
  }

  #begin(namespace: PodNamespace, nowMs: number): Stay {
    const known = this.#living.get(namespace.holding);
    if (known !== undefined) this.#end(known, nowMs);
    const stay: Stay = {
      ...namespace,
      addresses: [],
      afterMs: this.#lookedMs,
      lastMs: nowMs,
      goneMs: Infinity,
      firstMs: nowMs,
      readMs: Number.NEGATIVE_INFINITY,
    };
    this.#living.set(namespace.holding, stay);
    return stay;
  }

  #readAddresses(stay: Stay, nowMs: number): void {
    const { procRoot } = this.#options;
    const before = stay.addresses;
    stay.readMs = nowMs;
    for (const pid of stay.holding.pids) {
      // /proc/PID/net needs no privilege, unlike /proc/PID/ns (fs/proc/proc_net.c).
      const files = ["fib_trie", "if_inet6"].map((name) => readText(`${procRoot}/${pid}/net/${name}`));
      if (readNamespaceInum(pid, { procRoot }) !== stay.holding.inum) continue; // another process by now
      const [trie = "", inet6 = ""] = files;
      stay.addresses = [...parseFibTrie(trie), ...parseIfInet6(inet6)].filter(isPodsOwn);
      break;
    }
    for (const address of before) if (!stay.addresses.includes(address)) this.#drop(address, stay);
    for (const address of stay.addresses) {
      if (before.includes(address)) continue;
      const stays = this.#byAddress.get(address);
      if (stays === undefined) this.#byAddress.set(address, [stay]);
      else stays.push(stay);
    }
  }

  #end(stay: Stay, nowMs: number): void {
    this.#living.delete(stay.holding);
    stay.goneMs = nowMs;
    if (stay.addresses.length > 0) this.#gone.push(stay);
  }

  #forget(nowMs: number): void {
    const isOld = (stay: Stay, left: number) => left > REMEMBER.maxSize || nowMs - stay.goneMs > REMEMBER.ms;
    let count = 0;
    for (const stay of this.#gone) {
      if (!isOld(stay, this.#gone.length - count)) break;
      count++;
      for (const address of stay.addresses) this.#drop(address, stay);
    }
    if (count > 0) this.#gone = this.#gone.slice(count);
  }

  #drop(address: string, stay: Stay): void {
    const left = this.#byAddress.get(address)?.filter((other) => other !== stay) ?? [];
    if (left.length === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, left);
  }
}

function isToBeRead({ addresses, firstMs, readMs }: Stay, nowMs: number): boolean {
  const forMs = addresses.length === 0 ? FILL.emptyForMs : FILL.forMs;
  return nowMs - readMs >= FILL.everyMs && nowMs - firstMs < forMs;
}

/** Link-local ones say nothing: any namespace may have them. */
function isPodsOwn(address: string): boolean {
  return !/^fe[89ab]|^169\.254\./.test(address);
}

/** Empty where there is no such file: a kernel without IPv6, a process that has ended. */
function readText(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
