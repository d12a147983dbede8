import type { Witness } from "../agent/pump.ts";
import type { TcpEvent } from "../event/tcp-event.ts";
import { NamespaceCounterReader } from "../host/namespace-counters.ts";
import { listNetworkNamespaces } from "../host/network-namespaces.ts";
import type { DecodeCounts } from "../probe/page-decoder.ts";
import { type Sight, sightOf } from "../reconcile/sight.ts";
import type { Observation } from "../reconcile/tally.ts";
import { findField } from "../tracefs/event-format.ts";
import { lossReader } from "./losses.ts";
import { readNamespaces } from "./read-namespaces.ts";
import type { Session } from "./session.ts";
import type { SettleSink } from "./settle-sink.ts";
import { type VerifyReport, VerifySession } from "./verify.ts";

const PROC = "/proc";

export interface LiveVerifyOptions {
  readonly settled: SettleSink;
  readonly counts: DecodeCounts;
}

/** Compares a running capture with the kernel's counters of every network namespace. */
export class LiveVerify implements Witness {
  readonly #session: Session;
  readonly #counts: DecodeCounts;
  readonly #verify: VerifySession;
  #starting: Promise<void> | undefined;
  #finishing: Promise<void> | undefined;
  /** Present once finish() has resolved. */
  report: VerifyReport | undefined;

  constructor(session: Session, { settled, counts }: LiveVerifyOptions) {
    this.#session = session;
    this.#counts = counts;
    const { libc, source } = session;
    this.#verify = new VerifySession({
      sight: sightOfSession(session),
      readAll: async () => {
        const reader = new NamespaceCounterReader({ procRoot: PROC, libc });
        return await readNamespaces(reader, { procRoot: PROC, epochNanos: source.epochNanos });
      },
      settle: () => settled.settle(),
    });
    session.onSecond.add(() => {
      const namespaces = listNetworkNamespaces({ procRoot: PROC });
      this.#verify.glimpse(namespaces.map(({ inum }) => inum));
    });
  }

  /** Takes the baseline; the pump must run. */
  start(): Promise<void> {
    this.#starting = this.#verify.start();
    return this.#starting;
  }

  add(observation: Observation): void {
    this.#verify.add(observation);
  }

  consume(events: readonly TcpEvent[]): void {
    for (const event of events) this.#verify.add(event);
  }

  /** Reads the counters again and compares, once; the pump must run until this resolves. */
  finish(): Promise<void> {
    this.#finishing ??= this.#finish();
    return this.#finishing;
  }

  async #finish(): Promise<void> {
    await this.#starting;
    this.report = await this.#verify.finish(() => {
      this.#session.look(); // a gap since the last second would pass for a difference that nothing explains
      return lossReader(this.#session, this.#counts)();
    });
  }
}

/** What the installed probes see of what the kernel counts. */
export function sightOfSession({ capture }: Session): Sight {
  const { rung, eprobes, probes } = capture.installed;
  const outcome = probes.find(({ role }) => role === "outcome");
  const tellsErrors = outcome !== undefined && findField(outcome.format, "err") !== undefined;
  return {
    ...sightOf(rung, { tellsErrors }),
    synAckTimers: probes.some(({ role }) => role === "syn_ack_timer"),
    completeOutcomes: eprobes || rung === "tracepoint",
  };
}
