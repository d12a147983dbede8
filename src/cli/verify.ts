import { setTimeout as delay } from "node:timers/promises";
import { READ_SLACK_NANOS } from "../reconcile/bracket.ts";
import type { Losses } from "../reconcile/losses.ts";
import { type NamespaceRead, ObservedWindow } from "../reconcile/observed-window.ts";
import { type Reconciliation, reconcile } from "../reconcile/reconcile.ts";
import type { Sight } from "../reconcile/sight.ts";
import { type Observation, Tally } from "../reconcile/tally.ts";

/** Reads at one end of the window before it is taken as it is, as a range. */
const DEFAULT_TRIES = 10;

export interface VerifyOptions {
  readonly sight: Sight;
  /** Reads the counters of every network namespace of the host. */
  readonly readAll: () => Promise<readonly NamespaceRead[]>;
  /** Resolves when every record written up to the call has been decoded and given to `add`. */
  readonly settle: () => Promise<void>;
  /** Reads at each end while events keep falling into them. */
  readonly tries?: number;
  readonly slackNanos?: number;
}

/** The comparison, and what it was made of. */
export interface VerifyReport extends Reconciliation {
  readonly sight: Sight;
  readonly losses: Losses;
  /** Everything seen in the window. */
  readonly seen: Tally;
  /** Network namespaces compared; undefined on a rung whose events do not tell theirs. */
  readonly namespaces: number | undefined;
}

/**
 * Compares the events of a window with the kernel's counters. The capture must run before `start` and until
 * `finish` has ended; every event it gives goes to `add`, those in between included.
 */
export class VerifySession {
  readonly #options: VerifyOptions;
  readonly #window: ObservedWindow;

  constructor(options: VerifyOptions) {
    this.#options = options;
    const { slackNanos } = options;
    const perNamespace = options.sight.namespaces;
    this.#window = new ObservedWindow(
      slackNanos === undefined ? { perNamespace } : { perNamespace, slackNanos },
    );
  }

  /** Takes the baseline of every namespace. */
  async start(): Promise<void> {
    await this.#readUntilQuiet();
    this.#window.open();
  }

  add(observation: Observation): void {
    this.#window.observe(observation);
  }

  /** Notes namespaces that exist now: those that come and go within the window are named as unverifiable. */
  glimpse(namespaces: Iterable<number>): void {
    this.#window.glimpse(namespaces);
  }

  /** Reads the counters again and compares; `losses` are asked for when the last record has been decoded. */
  async finish(losses: () => Losses | Promise<Losses>): Promise<VerifyReport> {
    this.#window.beginClosing();
    await this.#readUntilQuiet();
    const { windows, unattributed } = this.#window.close();
    const { sight } = this.#options;
    const lost = await losses();
    const seen = new Tally();
    for (const tally of [unattributed, ...windows.flatMap(({ certain, maybe }) => [certain, maybe])]) {
      seen.addAll(tally);
    }
    const namespaces = sight.namespaces ? windows.length : undefined;
    return {
      ...reconcile(windows, { sight, losses: lost, unattributed }),
      sight,
      losses: lost,
      seen,
      namespaces,
    };
  }

  async #readUntilQuiet(): Promise<void> {
    const { readAll, settle, tries = DEFAULT_TRIES, slackNanos = READ_SLACK_NANOS } = this.#options;
    for (let tried = 0; tried < tries; tried++) {
      const reads = await readAll();
      // What runs shortly after the read is as ambiguous as what runs during it.
      await delay(Math.ceil(slackNanos / 1e6) + 1);
      await settle();
      if (this.#window.offer(reads)) return;
    }
  }
}

/** The part that verifying has in the exit code: 3 when a difference is unexplained, else 0. */
export function exitCode({ rows, totals }: Reconciliation): 0 | 3 {
  return [...rows, ...totals].some(({ unexplained }) => unexplained) ? 3 : 0;
}
