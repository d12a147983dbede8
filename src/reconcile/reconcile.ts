import { type CounterWindow, type Facts, IDENTITIES, type Identity, type Term } from "./identities.ts";
import { describeLosses, type Losses, lostRecords } from "./losses.ts";
import type { Sight } from "./sight.ts";
import { Tally } from "./tally.ts";

/** One namespace (or, where events do not tell theirs, the whole host) over the window. */
export interface NamespaceWindow {
  /** Inode number of the namespace; undefined: the whole host in one. */
  readonly netns: number | undefined;
  /** What certainly lies between the two reads of the counters. */
  readonly certain: Tally;
  /** What ran so near to one of them that it may or may not. */
  readonly maybe: Tally;
  /** How the counters moved, or why that is not known. */
  readonly kernel: CounterWindow | { readonly missing: string };
  /** Namespaces that vanished within the whole host's window: their counters are missing from its sums. */
  readonly gone: number;
}

export type Verdict = "reconciles" | "differs" | "unverifiable";

/** One identity in one namespace, or in total. */
export interface Row {
  readonly identity: Identity;
  /** Undefined: in total. */
  readonly netns: number | undefined;
  /** What the records show. */
  readonly seen: number;
  /** What the kernel must have counted if nothing was missed: at least and at most. */
  readonly low: number;
  readonly high: number;
  /** What it counted; undefined where that is not known. */
  readonly kernel: number | undefined;
  readonly verdict: Verdict;
  /** True for a difference that no named loss explains. */
  readonly unexplained: boolean;
  /** Why, in words: terms, losses, what the rung cannot see. */
  readonly note: string;
}

/** The outcome of a comparison: a row for each identity and namespace, and one for each identity in total. */
export interface Reconciliation {
  readonly rows: readonly Row[];
  readonly totals: readonly Row[];
}

export interface ReconcileOptions {
  readonly sight: Sight;
  readonly losses: Losses;
  /** Events whose namespace could not be told (a failed dereference): they may belong to any. */
  readonly unattributed?: Tally;
}

/** Compares what was seen with what the kernel counted, by every identity, for each namespace and in total. */
export function reconcile(windows: readonly NamespaceWindow[], options: ReconcileOptions): Reconciliation {
  const rows = windows.flatMap((window) => IDENTITIES.map((identity) => rowOf(identity, window, options)));
  const totals = IDENTITIES.map((identity) =>
    totalOf(
      identity,
      rows.filter((row) => row.identity === identity),
      options,
    ),
  );
  return { rows, totals };
}

function rowOf(identity: Identity, window: NamespaceWindow, options: ReconcileOptions): Row {
  const { netns, certain, maybe } = window;
  const seen = identity.seen(certain);
  const missing = "missing" in window.kernel ? window.kernel.missing : undefined;
  if ("missing" in window.kernel || window.kernel.moved[identity.counter] === undefined) {
    const note = missing ?? "this kernel has no such counter";
    return {
      identity,
      netns,
      seen,
      low: seen,
      high: seen,
      kernel: undefined,
      verdict: "unverifiable",
      unexplained: false,
      note,
    };
  }
  const all = new Tally();
  all.addAll(certain);
  all.addAll(maybe);
  const facts: Facts = { tally: all, kernel: window.kernel, sight: options.sight };
  const terms = identity.terms(facts);
  const near = identity.seen(maybe);
  const foreign = options.unattributed === undefined ? 0 : identity.seen(options.unattributed);
  const low = seen + sum(terms, "min");
  const high = seen + near + foreign + sum(terms, "max");
  const kernel = window.kernel.moved[identity.counter] ?? 0;
  const judged = judge(identity, { low, high, kernel, facts, gone: window.gone, options });
  const notes = [
    ...terms.map(describeTerm),
    ...(near > 0 ? [`${near} within a read of the counters`] : []),
    ...(foreign > 0 ? [`${foreign} of an untold namespace`] : []),
    ...(judged.note === "" ? [] : [judged.note]),
  ];
  return { identity, netns, seen, low, high, kernel, ...judged, note: notes.join("; ") };
}

interface Compared {
  readonly low: number;
  readonly high: number;
  readonly kernel: number;
  readonly facts: Facts;
  readonly gone: number;
  readonly options: ReconcileOptions;
}

type Judged = Pick<Row, "verdict" | "unexplained" | "note">;

function judge(identity: Identity, { low, high, kernel, facts, gone, options }: Compared): Judged {
  if (kernel < low) {
    // Missed records never make the kernel's number the smaller one; a vanished namespace does.
    if (gone > 0) return unverifiable(namespacesGone(gone));
    const surplus = `${low - kernel} more than counted`;
    if (options.sight.namespaces) return differs(surplus, true);
    return unverifiable(
      `${surplus}: sockets of a deleted namespace, which this rung cannot tell, or a fault`,
    );
  }
  const uncheckable = identity.uncheckable(facts);
  if (uncheckable !== undefined) return unverifiable(uncheckable);
  if (kernel <= high) return { verdict: "reconciles", unexplained: false, note: "" };
  const blind = identity.blind(facts);
  if (blind !== undefined) return unverifiable(blind);
  return explain(identity, kernel - high, options);
}

function explain(identity: Identity, short: number, { losses, sight }: ReconcileOptions): Judged {
  const relevant = {
    ...losses,
    probeMisses: identity.needsAttempts || !sight.completeOutcomes ? losses.probeMisses : 0,
  };
  const lost = lostRecords(relevant);
  // Of segments, one lost record may hide any number.
  const enough = identity.unit === "segment" ? lost > 0 : lost >= short;
  const cause = lost === 0 ? "" : `: ${describeLosses(relevant)}`;
  return differs(`${short} not seen${cause}`, !enough);
}

function totalOf(identity: Identity, rows: readonly Row[], options: ReconcileOptions): Row {
  const known = rows.filter((row) => row.kernel !== undefined);
  const unattributed = options.unattributed === undefined ? 0 : identity.seen(options.unattributed);
  const add = (value: (row: Row) => number) => known.reduce((total, row) => total + value(row), 0);
  const kernel = add((row) => row.kernel ?? 0);
  // Each row's upper bound allows for all unattributed events; in total they are there once.
  const high = add((row) => row.high - unattributed) + unattributed;
  const low = add((row) => row.low);
  const seen = add((row) => row.seen) + unattributed;
  const bare = { identity, netns: undefined, seen, low, high, kernel };
  const differing = rows.filter((row) => row.verdict === "differs");
  const doubtful = rows.filter((row) => row.verdict === "unverifiable");
  if (differing.length > 0) {
    const unexplained = differing.some((row) => row.unexplained);
    const short = differing.reduce((total, row) => total + (row.kernel ?? 0) - row.high, 0);
    const judged = unexplained ? differs("", true) : explain(identity, short, options);
    return { ...bare, ...judged, note: notesOf(differing) };
  }
  if (doubtful.length > 0) return { ...bare, ...unverifiable(notesOf(doubtful)) };
  return { ...bare, verdict: "reconciles", unexplained: false, note: notesOf(rows) };
}

/** One row's note as it is; of several the distinct ones without their numbers would say nothing. */
function notesOf(rows: readonly Row[]): string {
  const notes = new Set(rows.map(({ note }) => note).filter((note) => note !== ""));
  if (notes.size <= 1) return [...notes].join("");
  return `see the ${rows.filter(({ note }) => note !== "").length} namespaces below`;
}

function describeTerm({ name, min, max }: Term): string {
  return min === max ? `+ ${max} ${name}` : `+ ${min} to ${max} ${name}`;
}

function namespacesGone(gone: number): string {
  return gone === 1 ? "1 namespace is gone" : `${gone} namespaces are gone`;
}

function sum(terms: readonly Term[], bound: "min" | "max"): number {
  return terms.reduce((total, term) => total + term[bound], 0);
}

function differs(note: string, unexplained: boolean): Judged {
  return { verdict: "differs", unexplained, note: unexplained ? `${note}, unexplained` : note };
}

function unverifiable(note: string): Judged {
  return { verdict: "unverifiable", unexplained: false, note };
}
