import type { Naming } from "../agent/pump.ts";
import type { Config } from "../config/config.ts";
import type { EnrichCounts } from "../enrich/enricher.ts";
import type { TraceNanos } from "../event/trace-nanos.ts";
import { openLibc } from "../syscall/libc.ts";
import type { NamingSession } from "./naming-session.ts";
import { requireProc } from "./require-proc.ts";
import { requireRoot, type Session } from "./session.ts";
import type { TraceIo } from "./trace.ts";

export interface NamesWanted {
  /** How both ends get their names; undefined where names are not asked for. */
  readonly naming: Config | undefined;
  readonly version: string;
  readonly noFfi: boolean;
}

/** Opens the sources of names, where they are asked for, before anything touches the kernel; throws KubeconfigError, SetupError, UsageError. */
export async function openNames(
  { naming: config, version, noFfi }: NamesWanted,
  { say, signal }: Pick<TraceIo, "say" | "signal">,
): Promise<NamingSession | undefined> {
  if (config === undefined) return undefined;
  requireRoot();
  requireProc(config.host.procPath);
  // 10 MiB with Node's TLS, and needed with a cluster only.
  const { openNamingSession } = await import("./naming-session.ts");
  return await openNamingSession({ config, version, libc: openLibc({ disabled: noFfi }), say, signal });
}

/** The stage of the data path, and what became of the names. */
export interface CountedNaming extends Naming {
  readonly counts: EnrichCounts;
  /** Events that wait for a name now. */
  readonly waiting: number;
}

/** The stage of the data path that puts names to events, at the times of this capture. */
export function nameEvents({ source, clock, onSecond }: Session, sources: NamingSession): CountedNaming {
  const epochUnixMs = () => Number(clock.unixNanos(source.epochNanos)) / 1e6;
  let epochMs = epochUnixMs();
  onSecond.add(() => {
    epochMs = epochUnixMs();
    sources.refresh();
  });
  const unixMs = (time: TraceNanos) => epochMs + time / 1e6;
  const enricher = sources.enricher(unixMs);
  return {
    counts: enricher.counts,
    get waiting() {
      return enricher.waiting;
    },
    enrich(events, watermark) {
      // Tells it the time too: what is not told yet may be by then.
      sources.watch.index.expire(unixMs(watermark), source.restedMs);
      return enricher.enrich(events, watermark);
    },
    end: () => enricher.end(),
  };
}
