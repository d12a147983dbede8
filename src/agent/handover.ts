import type { TcpEvent } from "../event/tcp-event.ts";
import { type TraceNanos, traceNanos } from "../event/trace-nanos.ts";

/** Another agent of this node that began before this one and lives. */
export interface OlderAgent {
  readonly name: string;
  /** It sees events of now. */
  readonly isRecording: boolean;
}

export interface HandoverOptions {
  /** Looks at the agents of this node that began before this one and live. */
  readonly older: () => readonly OlderAgent[];
  /** The capture's time now. */
  readonly now: () => TraceNanos;
  /** CLOCK_MONOTONIC at the capture's epoch, in ns: whole seconds of that clock are where agents part. */
  readonly epochNanos: bigint;
  readonly limits?: Partial<HandoverLimits>;
}

export interface HandoverLimits {
  /** Events of the last second that are held, in case they turn out to be this agent's. */
  readonly maxHeld: number;
  /** One that has not ended by then stays: both count from then on, and say so. */
  readonly maxWaitNanos: number;
  /** One that records nothing for so long has ended, but for its directory. Another program's interference lasts a second. */
  readonly offNanos: number;
}

const LIMITS: HandoverLimits = { maxHeld: 50_000, maxWaitNanos: 600e9, offNanos: 5e9 };

/** Whose turn it is to count: `beside` an older agent that stays is the agent's turn too. */
export type HandoverState =
  | { readonly kind: "waiting"; readonly older: readonly string[] }
  | { readonly kind: "counting" }
  | { readonly kind: "beside"; readonly older: readonly string[] };

const SECOND = 1_000_000_000n;
/** The older one stops just behind a second. Between two looks so far apart it may have done so behind more than one. */
const LATE_NANOS = 500e6;

/**
 * Which events are this agent's, where one agent replaces another: both capture, and they part at a whole second of
 * CLOCK_MONOTONIC, which both know. The older one, told to end, stops just behind the next and leaves out what is
 * later; the newer one holds the events since the last, and begins with those when the older has stopped. Where the
 * older gets to stop only later, they part at the second in which it did.
 */
export class Handover {
  /** Resolves when this agent begins to count. */
  readonly begun: Promise<void>;
  readonly #begin: () => void;
  readonly #options: HandoverOptions;
  readonly #limits: HandoverLimits;
  readonly #startedAt: TraceNanos;
  #state: HandoverState;
  #held: TcpEvent[] = [];
  /** Of an agent that yields: events behind the second at which it means to part, in case it gets to that only later. */
  #behind: TcpEvent[] = [];
  /** When an older one was last found recording. */
  #recordedAt: TraceNanos;
  #unsureSeconds = 0;
  /** When the older ones were first found to have stopped, since when they have not gone on. */
  #offAt: TraceNanos | undefined;
  /** What is this agent's. An attempt that waits for its outcome becomes an event later, so the start is kept. */
  #from = traceNanos(Number.NEGATIVE_INFINITY);
  #until = traceNanos(Number.POSITIVE_INFINITY);
  #hasParted = false;
  #left = 0;

  constructor(options: HandoverOptions) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.begun = promise;
    this.#begin = resolve;
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#startedAt = options.now();
    this.#recordedAt = this.#startedAt;
    const older = options.older().map(({ name }) => name);
    this.#state = older.length === 0 ? { kind: "counting" } : { kind: "waiting", older };
    if (older.length === 0) resolve();
  }

  get state(): HandoverState {
    return this.#state;
  }

  /** Events that were seen and left to another agent. */
  get left(): number {
    return this.#left;
  }

  /** So many whole seconds may be in neither agent: this one did not look while the older one stopped. */
  get unsureSeconds(): number {
    return this.#unsureSeconds;
  }

  /** Gives what of these events, and of those before, is this agent's: to be called each tick. */
  admit(events: readonly TcpEvent[]): readonly TcpEvent[] {
    if (this.#state.kind !== "waiting") return this.#own(events);
    for (const event of events) this.#held.push(event);
    const { now, older } = this.#options;
    const from = now();
    const living = older();
    const until = now();
    if (living.some(({ isRecording }) => isRecording)) return this.#wait(living, { from, until });
    this.#offAt ??= until;
    if (living.length > 0 && until - this.#offAt < this.#limits.offNanos) {
      this.#bound();
      return [];
    }
    const second = this.#secondOf(this.#offAt);
    const looked = this.#offAt - this.#recordedAt < LATE_NANOS;
    this.#unsureSeconds = looked ? 0 : (second - this.#secondOf(this.#recordedAt)) / Number(SECOND);
    return this.#take(second, { kind: "counting" });
  }

  /** Looks again whether an older agent that stayed is still there; true when it has just gone. */
  look(): boolean {
    if (this.#state.kind !== "beside" || this.#options.older().length > 0) return false;
    this.#state = { kind: "counting" };
    return true;
  }

  /** Events from the next whole second on are another agent's; gives that second, until which this one must capture. */
  yield(): TraceNanos {
    this.#until = traceNanos(this.#secondOf(this.#options.now()) + Number(SECOND));
    return this.#until;
  }

  /** The capture of an agent that yields has stopped now: the second in which that was is where they part. */
  parted(): void {
    if (this.#until === Number.POSITIVE_INFINITY) return;
    this.#until = traceNanos(Math.max(this.#until, this.#secondOf(this.#options.now())));
    this.#hasParted = true;
  }

  #wait(older: readonly OlderAgent[], { from, until }: { from: TraceNanos; until: TraceNanos }) {
    this.#offAt = undefined;
    this.#recordedAt = from;
    const names = older.map(({ name }) => name);
    this.#state = { kind: "waiting", older: names };
    // It recorded at `from` or later, so it will part from us at no earlier second.
    this.#dropBefore(this.#secondOf(from));
    this.#bound();
    if (until - this.#startedAt < this.#limits.maxWaitNanos) return [];
    return this.#take(until, { kind: "beside", older: names });
  }

  #take(from: TraceNanos, state: HandoverState): readonly TcpEvent[] {
    const events = this.#held;
    this.#held = [];
    this.#from = from;
    this.#state = state;
    this.#begin();
    return this.#own(events);
  }

  #dropBefore(time: TraceNanos): void {
    const kept = this.#held.filter((event) => event.time >= time);
    this.#left += this.#held.length - kept.length;
    this.#held = kept;
  }

  #bound(): void {
    const over = this.#held.length - this.#limits.maxHeld;
    if (over <= 0) return;
    this.#held.splice(0, over);
    this.#left += over;
  }

  #own(events: readonly TcpEvent[]): readonly TcpEvent[] {
    const [from, until] = [this.#from, this.#until];
    if (from === Number.NEGATIVE_INFINITY && until === Number.POSITIVE_INFINITY) return events;
    const all = this.#behind.length === 0 ? events : [...this.#behind, ...events];
    const own = all.filter(({ time }) => time >= from && time < until);
    const behind = this.#hasParted ? [] : all.filter(({ time }) => time >= until);
    this.#behind = behind.slice(-this.#limits.maxHeld);
    this.#left += all.length - own.length - this.#behind.length;
    return own;
  }

  /** The capture's time at the whole second before. */
  #secondOf(time: TraceNanos): TraceNanos {
    const { epochNanos } = this.#options;
    const into = (epochNanos + BigInt(Math.floor(time))) % SECOND;
    return traceNanos(Math.floor(time) - Number(into));
  }
}
