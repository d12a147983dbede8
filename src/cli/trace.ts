import type { LiveSource } from "../agent/live-source.ts";
import { type Pipeline, pump, type Sink, WITHOUT_NAMES } from "../agent/pump.ts";
import type { Rung } from "../event/tcp-event.ts";
import { tableHeader } from "../export/table.ts";
import { unmapProgram } from "../syscall/program-pages.ts";
import { closingLines } from "./closing-lines.ts";
import { type CountedNaming, type NamesWanted, nameEvents, openNames } from "./event-names.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { formatVerify } from "./format-verify.ts";
import { livePipeline, utcOffsetMinutes } from "./live-pipeline.ts";
import { LiveVerify } from "./live-verify.ts";
import { lossReader } from "./losses.ts";
import { openSession, type Session } from "./session.ts";
import { stopWhen } from "./stop-when.ts";
import { SummarySink } from "./summary-sink.ts";
import { exitCode } from "./verify.ts";
import { eventFormatter, View, type ViewSettings } from "./view.ts";

export interface TraceSettings extends ViewSettings, NamesWanted {
  readonly probe: Rung | "auto";
  /** Ring buffer of each CPU, in KiB. */
  readonly bufferSizeKb: number;
  /** Seconds after which the trace ends by itself. */
  readonly duration: number | undefined;
  readonly verify: boolean;
  /** Only events of certain network namespaces are asked for. */
  readonly byNamespace: boolean;
}

export interface TraceIo {
  /** Writes to standard output. */
  readonly write: (text: string) => void;
  /** Writes one line to standard error. */
  readonly say: (line: string) => void;
  /** Ends the trace from outside: a signal came, or standard output was closed. */
  readonly signal: AbortSignal;
  /** Ends it at once, without what takes time. */
  readonly hurry: AbortSignal;
}

/** Traces this host until a signal, the duration or the count ends it; gives the exit code. Throws SetupError. */
export async function runTrace(settings: TraceSettings, io: TraceIo): Promise<number> {
  const { probe: rung, stacks, bufferSizeKb, noFfi } = settings;
  await using sources = await openNames(settings, io);
  using session = await openSession({
    ...{ rung, stacks, names: stacks ? "all" : "causes" },
    ...{ bufferSizeKb, noFfi, say: io.say },
  });
  const names = sources && nameEvents(session, sources);
  const { pipeline, verify, view, stop, stopped } = assemble(session, settings, { io, names });
  if (view !== undefined && !settings.json) io.write(tableHeader(settings));
  if (settings.byNamespace && session.capture.installed.rung === "tracepoint") {
    io.say(
      "No event can match --netns here: on the tracepoint rung they do not tell their network namespace",
    );
  }
  const pumping = pump(pipeline);
  // Its reads need the pump to run: what is verified lies inside what is traced.
  await Promise.race([verify?.start(), pumping]);
  using _stop = stopWhen(stop, { seconds: settings.duration, signal: io.signal });
  io.say(`Tracing TCP retransmits (${session.capture.installed.rung}). Ctrl-C ends it`);
  if (session.libc !== undefined) unmapProgram(session.libc); // nearly half of its memory was for the start
  await Promise.all([pumping, stopped]);
  return close(session, { settings, io, pipeline, view, verify, names });
}

interface Joined {
  readonly io: TraceIo;
  readonly names: CountedNaming | undefined;
}

/** Joins the session's parts to one pipeline, and says how to end it. */
function assemble(session: Session, settings: TraceSettings, { io, names }: Joined) {
  const { write, hurry } = io;
  const live = livePipeline(session, { synAckTimer: (timer) => verify?.add(timer) });
  const { settled, decoder, namesOf, epochUnixNanos } = live;
  const verify = settings.verify ? new LiveVerify(session, { settled, counts: decoder.counts }) : undefined;
  const { stop, stopped } = stopper(session.source, { verify, hurry });
  const output = { ...settings, epochUnixNanos, utcOffsetMinutes, write };
  const format = eventFormatter(settings, { stackNames: namesOf, utcOffsetMinutes });
  const view = settings.summary === undefined ? new View({ ...output, format, enough: stop }) : undefined;
  const shown: Sink = view ?? new SummarySink(output);
  const pipeline = live.join({
    witnesses: verify === undefined ? [] : [verify],
    naming: names ?? WITHOUT_NAMES,
    sinks: [shown],
  });
  return { pipeline, verify, view, stop, stopped };
}

/** Ends a capture when it has been verified, or at once for someone in a hurry. */
function stopper(
  source: LiveSource,
  { verify, hurry }: { readonly verify: LiveVerify | undefined; readonly hurry: AbortSignal },
) {
  const { promise: stopped, resolve, reject } = Promise.withResolvers<void>();
  hurry.addEventListener("abort", () => resolve(), { once: true });
  const stop = () => void (verify?.finish() ?? Promise.resolve()).then(resolve, reject);
  return { stop, stopped: stopped.finally(() => source.stop()) };
}

interface Ended {
  readonly settings: TraceSettings;
  readonly io: TraceIo;
  readonly pipeline: Pipeline;
  readonly view: View | undefined;
  readonly verify: LiveVerify | undefined;
  readonly names: CountedNaming | undefined;
}

/** The last words: what was not shown, what was lost, and what the kernel counted. */
function close(session: Session, { settings, io, pipeline, view, verify, names }: Ended): number {
  const { decoder, pairer } = pipeline;
  if (settings.json) io.say("Ending tracing...");
  else io.write("\nEnding tracing...\n");
  const { counts: decoding } = decoder;
  const losses = lossReader(session, decoding)();
  const { rung } = session.capture.installed;
  const hidden = view?.hidden;
  const closing = { ...losses, rung, hidden, decoding, pairing: pairer.counts, naming: names?.counts };
  for (const line of closingLines(closing)) io.say(line);
  if (verify === undefined) return EXIT_CODES.ok.code;
  const { report } = verify;
  if (report === undefined) {
    io.say("Not verified: it was ended before the kernel's counters had been read");
    return EXIT_CODES.unexplained.code;
  }
  const text = formatVerify(report, { color: settings.color });
  if (settings.json) io.say(text);
  else io.write(`\n${text}`);
  return exitCode(report);
}
