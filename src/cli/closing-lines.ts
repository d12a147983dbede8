import type { EnrichCounts } from "../enrich/enricher.ts";
import type { Rung } from "../event/tcp-event.ts";
import { formatHidden, type HiddenCounts } from "../export/what-prints.ts";
import type { DecodeCounts } from "../probe/page-decoder.ts";
import type { PairingCounts } from "../probe/pairer.ts";

export interface Closing {
  readonly rung: Rung;
  /** Events that the view did not print; undefined where there was no view. */
  readonly hidden: HiddenCounts | undefined;
  readonly decoding: DecodeCounts;
  readonly pairing: PairingCounts;
  /** Records that the kernel overwrote before they were read. */
  readonly overrun: number;
  /** Probe hits that the kernel left out (kprobe_profile). */
  readonly probeMisses: number;
  /** Times that another program kept the probes from recording. */
  readonly gaps: number;
  /** Undefined where names were not asked for. */
  readonly naming?: EnrichCounts | undefined;
}

/** The last words of a trace or a replay: what was not shown, lost or cut off, one sentence each; none where there is nothing. */
export function closingLines(closing: Closing): readonly string[] {
  const { rung, hidden, decoding, pairing, overrun, probeMisses, gaps, naming } = closing;
  const lines: (string | undefined)[] = [
    hidden && formatHidden(hidden),
    says(overrun, "records, overwritten before they were read; a larger --buffer-size holds more", "Lost"),
    says(probeMisses, "probe hits, inside another probe's handler", "Left out by the kernel"),
    says(
      gaps,
      "times that another program had switched probes off; what was retransmitted then is missing",
      "Gaps",
    ),
    // On the other rungs no outcome has an attempt.
    says(
      rung === "kprobe" ? pairing.orphanOutcomes : 0,
      "retransmits whose attempt was not recorded; they are shown",
      "Complete all the same",
    ),
    says(
      pairing.cutOffAttempts,
      "attempts under way when the trace ended or its probes were switched off; they are not shown",
      "Cut off",
    ),
    ...(naming === undefined ? [] : namingLines(naming)),
    decoding.faults.size === 0
      ? undefined
      : `Not decoded: ${[...decoding.faults].map(([fault, count]) => `${count} ${fault}`).join(", ")}`,
  ];
  return lines.filter((line) => line !== undefined);
}

/** What became of the names. */
function namingLines({
  foreign,
  undetermined,
  gaveUp,
  overflow,
}: EnrichCounts): readonly (string | undefined)[] {
  return [
    says(foreign, "events of other nodes on this kernel; they are not shown", "Foreign"),
    says(undetermined, "events that may be another node's; they are shown with a ?", "Undetermined"),
    says(gaveUp, "events that waited for a name in vain", "Gave up"),
    says(overflow, "events that could not wait for a name, since 1,000 others did", "No room"),
  ];
}

function says(count: number, what: string, head: string): string | undefined {
  return count === 0 ? undefined : `${head}: ${count} ${what}`;
}
