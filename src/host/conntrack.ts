import { ConnectionCache } from "./connection-cache.ts";
import {
  CONNTRACK_ERRORS,
  type ConntrackAnswer,
  type ConntrackError,
  type ConntrackPair,
  type ConntrackSource,
  type ConntrackSourceCounts,
  type ConntrackTranslation,
  NO_SOURCE_COUNTS,
} from "./conntrack-answer.ts";

/** How long answers are remembered, in ms. */
export interface ConntrackAges {
  /** Of an entry. A pair of ports that is used again may lead elsewhere, so this is also how long a name can be wrong. */
  readonly entry: number;
  /** Of no entry, and of errors: the first SYN of a connection has none until it has left. */
  readonly none: number;
  /** From when on an entry in use is asked for again while it still serves; for sources that answer later. */
  readonly refresh: number;
}

export interface HostConntrackOptions {
  /** Makes the source of answers; undefined where there is none. `onAnswer` takes those that come later. */
  readonly source:
    | ((onAnswer: (pair: ConntrackPair, answer: ConntrackAnswer) => void) => ConntrackSource)
    | undefined;
  /** How it answers: by netlink, from the file in /proc, or not at all. */
  readonly way: "netlink" | "proc" | "none";
  /** One sentence: why it is not netlink; undefined where it is. */
  readonly note: string | undefined;
  /** Monotonic clock in ms. */
  readonly now: () => number;
  readonly ages: ConntrackAges;
  readonly maxConnections: number;
}

/** What look-ups came to. `asked` = `found` + `untranslated` + `none` + all errors + those that wait. */
export interface ConntrackCounts {
  /** Look-ups that memory had no answer for. */
  readonly asked: number;
  /** Look-ups answered from memory. */
  readonly remembered: number;
  /** Entries that translate. */
  readonly found: number;
  readonly untranslated: number;
  readonly none: number;
  readonly errors: Readonly<Record<ConntrackError, number>>;
  /** Connections in memory, and those dropped from it for want of room. */
  readonly cacheSize: number;
  readonly evictions: number;
  readonly source: ConntrackSourceCounts;
}

interface Known {
  readonly translation: ConntrackTranslation | undefined;
  readonly expires: number;
  readonly refresh: number;
}

/** Connection tracking of the host's network namespace with a memory by connection. Made by `openHostConntrack()`. */
export class HostConntrack implements Disposable {
  readonly way: "netlink" | "proc" | "none";
  readonly note: string | undefined;
  readonly #source: ConntrackSource | undefined;
  readonly #now: () => number;
  readonly #ages: ConntrackAges;
  readonly #cache: ConnectionCache<Known>;
  readonly #errors = Object.fromEntries(CONNTRACK_ERRORS.map((error) => [error, 0])) as Record<
    ConntrackError,
    number
  >;
  #asked = 0;
  #remembered = 0;
  #found = 0;
  #untranslated = 0;
  #none = 0;

  constructor({ source, way, note, now, ages, maxConnections }: HostConntrackOptions) {
    this.way = way;
    this.note = note;
    this.#now = now;
    this.#ages = ages;
    this.#cache = new ConnectionCache({ maxConnections });
    this.#source = source?.((pair, answer) => void this.#remember(pair, answer));
  }

  get counts(): ConntrackCounts {
    return {
      asked: this.#asked,
      remembered: this.#remembered,
      found: this.#found,
      untranslated: this.#untranslated,
      none: this.#none,
      errors: { ...this.#errors },
      cacheSize: this.#cache.size,
      evictions: this.#cache.evictions,
      source: this.#source?.counts ?? NO_SOURCE_COUNTS,
    };
  }

  /**
   * What the socket's peer stands for: undefined where this host translates nothing for the connection or has no
   * entry of it, `pending` where the answer is being read. Loopback is never asked for: each namespace has
   * its own, and its pairs would be found among the host's.
   */
  translation(pair: ConntrackPair): ConntrackTranslation | "pending" | undefined {
    if (this.#source === undefined || isLoopback(pair.localAddress)) return undefined;
    const now = this.#now();
    const known = this.#cache.get(pair);
    if (known !== undefined && now < known.expires) {
      this.#remembered++;
      if (now >= known.refresh) this.#ask(pair, this.#source);
      return known.translation;
    }
    return this.#ask(pair, this.#source);
  }

  [Symbol.dispose](): void {
    this.#source?.[Symbol.dispose]();
  }

  #ask(pair: ConntrackPair, source: ConntrackSource): ConntrackTranslation | "pending" | undefined {
    const answer = source.ask(pair);
    if (answer.kind === "pending") return "pending";
    return this.#remember(pair, answer);
  }

  #remember(pair: ConntrackPair, answer: ConntrackAnswer): ConntrackTranslation | undefined {
    this.#count(answer);
    const now = this.#now();
    if (answer.kind === "failed") {
      const known = this.#cache.get(pair);
      if (known !== undefined && now < known.expires) return known.translation;
    }
    const { entry, none, refresh } = this.#ages;
    const translation = answer.kind === "entry" ? answer.translation : undefined;
    const age = answer.kind === "entry" ? entry : none;
    this.#cache.set(pair, { translation, expires: now + age, refresh: now + refresh });
    return translation;
  }

  #count(answer: ConntrackAnswer): void {
    this.#asked++;
    if (answer.kind === "failed") this.#errors[answer.error]++;
    else if (answer.kind === "none") this.#none++;
    else if (answer.kind === "entry" && answer.translation !== undefined) this.#found++;
    else this.#untranslated++;
  }
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}
