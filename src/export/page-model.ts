import type { Cause, Rung } from "../event/tcp-event.ts";

/** How a part of the agent does: well, less than it could, or not at all. */
export type PartState = "ok" | "degraded" | "failing";

/** A part of the agent, in a sentence. */
export interface HealthPart {
  /** Such as `probes` or `names: pods`. */
  readonly name: string;
  readonly state: PartState;
  readonly sentence: string;
  /** What to do about it; undefined where nothing is, or where the sentence says so. */
  readonly remedy: string | undefined;
}

/** How retransmits are captured. */
export interface CaptureModel {
  /** Undefined where only the kernel's counters are read. */
  readonly rung: Rung | undefined;
  /** What this rung does not see on this host, a phrase each. */
  readonly blind: readonly string[];
}

/** One quantity as events tell it and as the kernel counted it. */
export interface CoveredModel {
  readonly seen: number;
  readonly kernel: number;
}

/** Where something went that was not seen, or not counted. */
export interface LostModel {
  /** Such as `records overwritten in the ring buffer`. */
  readonly what: string;
  readonly count: number;
}

/** What was seen of the kernel's truth since the start. */
export interface CoverageModel {
  readonly segments: CoveredModel;
  readonly lossProbes: CoveredModel;
  /** Undefined: each number is what it says. Else why they are an estimate. */
  readonly estimate: string | undefined;
  /** Those at 0 are left out of the page. */
  readonly lost: readonly LostModel[];
}

/** What was counted between two ends, or over all. */
export interface Counted {
  /** Segments sent again, and attempts that failed. */
  readonly segments: number;
  readonly failed: number;
  /** Time that connections stood still, where it is known. */
  readonly stallSeconds: number;
  /** Segments by cause, the most first. */
  readonly causes: readonly (readonly [Cause, number])[];
}

/** A source and a destination. */
export interface PairRow {
  readonly source: string;
  readonly destination: string;
  /** In the last five minutes. */
  readonly recent: Counted;
  /** Since the start. */
  readonly total: Counted;
}

/** An event as a row. */
export interface EventRow {
  readonly unixMs: number;
  readonly kind: "retransmit" | "loss_probe";
  readonly cause: Cause;
  /** Undefined where the rung cannot tell. */
  readonly segments: number | undefined;
  /** `sent`, or `failed: EBUSY`. */
  readonly outcome: string;
  readonly failed: boolean;
  /** Undefined where names are not asked for. */
  readonly source: string | undefined;
  readonly destination: string | undefined;
  /** Address and port. */
  readonly sourceAddress: string;
  readonly destinationAddress: string;
}

/** What the events of late and since the start come to. */
export interface ActivityModel {
  /** Events a second over the last ten seconds. */
  readonly perSecond: number;
  /** Events a second in each five seconds of the last five minutes, the oldest first. */
  readonly rates: readonly number[];
  readonly events: number;
  readonly recent: Counted;
  readonly total: Counted;
  /** The largest of the last five minutes first, then those since the start. */
  readonly pairs: readonly PairRow[];
  /** Pairs that are not among `pairs` (one that was forgotten and came back counts twice), and their segments since the start. */
  readonly otherPairs: { readonly pairs: number; readonly segments: number };
  /** The latest first. */
  readonly last: readonly EventRow[];
}

/** What leaves the node for one signal. */
export interface ExportModel {
  readonly signal: "metrics" | "logs" | "traces";
  /** Where to, without credentials, such as `otlp/grpc collector:4317`; undefined: nowhere. */
  readonly to: string | undefined;
  readonly state: PartState;
  /** What the last try met, and what to do about it; undefined where it went well. */
  readonly problem: string | undefined;
  /** What waits to be sent; undefined where nothing ever does. */
  readonly queue: { readonly records: number; readonly bytes: number; readonly maxBytes: number } | undefined;
  /** Records or points that were taken, and that were given up, since the start. */
  readonly sent: number;
  readonly dropped: number;
  readonly lastSuccessUnixMs: number | undefined;
}

/** All that the page shows. Texts may be anyone's. */
export interface PageModel {
  readonly version: string;
  readonly node: string | undefined;
  readonly cluster: string | undefined;
  readonly nowUnixMs: number;
  readonly startedUnixMs: number;
  /** Seconds between two loads of the page by itself; 0: never. */
  readonly refreshSeconds: number;
  readonly ready: boolean;
  readonly capture: CaptureModel;
  /** Undefined until the counters have been read twice. */
  readonly coverage: CoverageModel | undefined;
  /** Those that are not ok are shown. */
  readonly parts: readonly HealthPart[];
  readonly activity: ActivityModel;
  readonly exports: readonly ExportModel[];
}
