import type { Config } from "../config/schema.ts";
import type { Enricher } from "../enrich/enricher.ts";
import { openLibc } from "../syscall/libc.ts";
import { type NamingSession, openNamingSession } from "./naming-session.ts";
import { requireRoot, type Session } from "./session.ts";
import type { TraceIo } from "./trace.ts";

export interface NamesWanted {
  /** How both ends get their names; undefined where names are not asked for. */
  readonly naming: Config | undefined;
  readonly version: string;
  readonly noFfi: boolean;
}

/** Opens the sources of names, where they are asked for, before anything touches the kernel; throws KubeconfigError, SetupError. */
export async function openNames(
  { naming: config, version, noFfi }: NamesWanted,
  { say, signal }: Pick<TraceIo, "say" | "signal">,
): Promise<NamingSession | undefined> {
  if (config === undefined) return undefined;
  requireRoot();
  return await openNamingSession({ config, version, libc: openLibc({ disabled: noFfi }), say, signal });
}

/** The stage of the data path that puts names to events, at the times of this capture. */
export function nameEvents({ source, clock, onSecond }: Session, sources: NamingSession): Enricher {
  const epochUnixMs = () => Number(clock.unixNanos(source.epochNanos)) / 1e6;
  let epochMs = epochUnixMs();
  onSecond.add(() => {
    epochMs = epochUnixMs();
    sources.refresh();
  });
  return sources.enricher((time) => epochMs + time / 1e6);
}
