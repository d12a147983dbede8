import { advise, bestRung, remedyOf } from "./doctor-advice.ts";
import { type DoctorFacts, examineHost } from "./doctor-facts.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { formatDoctor } from "./format-doctor.ts";

export interface DoctorSettings {
  readonly json: boolean;
  /** Writes to standard output. */
  readonly write: (text: string) => void;
  /** Do without node:ffi, as on Node 24. */
  readonly noFfi: boolean;
}

/**
 * Says on one screen what this host lets tcpretrans see, having tried each rung for real; gives the exit code:
 * 0 when retransmits can be captured, else 4. Without root it says what can be said.
 */
export async function runDoctor({ json, write, noFfi }: DoctorSettings): Promise<number> {
  const uid = process.getuid?.() ?? 0;
  const facts = await examineHost({ procRoot: "/proc", sysRoot: "/sys", uid, noFfi });
  write(json ? formatDoctorJson(facts) : formatDoctor(facts));
  return (bestRung(facts) === undefined ? EXIT_CODES.noCapture : EXIT_CODES.ok).code;
}

/**
 * The facts as one JSON object on one line, every key always there, null where unknown. Stable keys:
 * `possible` (boolean) and `rung` (what --probe=auto takes), then those of DoctorFacts: `kernel`, `node`, `uid`, `tracefs`,
 * `tracepoints`, `rungs[]` (`rung`, `kind` ok or refused; ok has `notes[]` and `sight`, refused has `code`, `reason`, `remedy`),
 * `namespaces`, `probes`; last `advice[]`, one sentence each.
 */
export function formatDoctorJson(facts: DoctorFacts): string {
  const best = bestRung(facts);
  const rungs = facts.rungs.map((trial) =>
    trial.kind === "ok" ? trial : { ...trial, remedy: remedyOf(trial, facts) },
  );
  const head = { possible: best !== undefined, rung: best?.rung };
  const report = { ...head, ...facts, rungs, advice: advise(facts) };
  return `${JSON.stringify(report, (_, value) => (value === undefined ? null : value))}\n`;
}
