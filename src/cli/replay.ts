import { closeSync, openSync } from "node:fs";
import { pump, WITHOUT_NAMES } from "../agent/pump.ts";
import { RecordedSource, recordedLayout } from "../agent/recorded-source.ts";
import type { RecordingHeader } from "../agent/recording-format.ts";
import { RecordingReader } from "../agent/recording-reader.ts";
import type { TcpEvent } from "../event/tcp-event.ts";
import { tableHeader } from "../export/table.ts";
import { PageDecoder } from "../probe/page-decoder.ts";
import { Pairer } from "../probe/pairer.ts";
import { SetupError } from "../syscall/setup-error.ts";
import { closingLines } from "./closing-lines.ts";
import { stackNames } from "./stack-names.ts";
import { SummarySink } from "./summary-sink.ts";
import type { TraceIo } from "./trace.ts";
import { eventFormatter, View, type ViewSettings } from "./view.ts";

export interface ReplaySettings extends ViewSettings {
  readonly file: string;
}

/** Shows a recording as the trace would have been shown; needs no privilege. Throws RecordingError, SetupError. */
export async function runReplay(settings: ReplaySettings, io: TraceIo): Promise<void> {
  const fd = openRecording(settings.file);
  try {
    const reader = new RecordingReader(fd);
    const header = reader.header();
    const { pipeline, view, state } = assemble(reader, header, { settings, io });
    if (view !== undefined && !settings.json) io.write(tableHeader(settings));
    await pump(pipeline);
    if (settings.json) io.say("Ending tracing...");
    else io.write("\nEnding tracing...\n");
    const { decoder, pairer } = pipeline;
    const closing = {
      rung: header.rung,
      hidden: view?.hidden,
      decoding: decoder.counts,
      pairing: pairer.counts,
    };
    const lost = { overrun: state.overrun ?? 0, probeMisses: 0, gaps: state.gaps };
    for (const line of closingLines({ ...closing, ...lost })) io.say(line);
    if (state.overrun === undefined && !state.stopped) io.say("The recording was cut off: it has no end");
  } finally {
    closeSync(fd);
  }
}

interface Playing {
  readonly settings: ReplaySettings;
  readonly io: TraceIo;
}

/** Joins the recording's source to the same pipeline that a live trace has. */
function assemble(reader: RecordingReader, header: RecordingHeader, { settings, io }: Playing) {
  const layout = recordedLayout(header);
  const names = new Map<bigint, string>();
  const state = { epochUnixNanos: 0n, overrun: undefined as number | undefined, stopped: false, gaps: 0 };
  const decoder = new PageDecoder(layout, layout.epoch);
  const source = new RecordedSource(reader, {
    clock: (epochUnixNanos) => {
      state.epochUnixNanos = epochUnixNanos;
    },
    symbols: (pairs) => {
      for (const [address, name] of pairs) names.set(address, name);
    },
    events: (events) => {
      state.gaps++; // probes are installed again only where someone had removed them
      decoder.addEvents(events);
    },
    end: (overrun) => {
      state.overrun = overrun;
    },
  });
  const stop = () => {
    state.stopped = true;
    source.stop();
  };
  io.signal.addEventListener("abort", stop, { once: true });
  const namesOf = stackNames((address) => names.get(address));
  const batch: TcpEvent[] = [];
  const pairer = new Pairer({ rung: header.rung, functionsOf: namesOf, emit: (event) => batch.push(event) });
  const utcOffsetMinutes = () => header.utcOffsetMinutes;
  const output = {
    ...settings,
    utcOffsetMinutes,
    epochUnixNanos: () => state.epochUnixNanos,
    write: io.write,
  };
  const format = eventFormatter(settings, { stackNames: namesOf, utcOffsetMinutes });
  const view = settings.summary === undefined ? new View({ ...output, format, enough: stop }) : undefined;
  const sinks = [view ?? new SummarySink(output)];
  const pipeline = { source, decoder, pairer, batch, witnesses: [], naming: WITHOUT_NAMES, sinks };
  return { pipeline, view, state };
}

function openRecording(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "an error";
    throw new SetupError("file", `Cannot replay ${path}: open says ${code}`, {
      cause: error,
      remedy: "Name a recording that is there and that this user may read",
    });
  }
}
