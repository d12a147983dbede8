import { closeSync, openSync } from "node:fs";
import { machine, release } from "node:os";
import type { PageSource, PageVisitor } from "../agent/pump.ts";
import { RecordingWriter } from "../agent/recording-writer.ts";
import { SetupError } from "../syscall/setup-error.ts";
import { readOverrun } from "./read-overrun.ts";
import { openSession, type SessionOptions } from "./session.ts";
import { stopWhen } from "./stop-when.ts";

export interface RecordSettings extends Omit<SessionOptions, "names"> {
  readonly file: string;
  /** Seconds after which the recording ends by itself. */
  readonly duration: number | undefined;
  /** Ends the recording from outside. */
  readonly signal: AbortSignal;
  readonly version: string;
}

/** Stores raw pages, with every kernel address replaced, until a signal or the duration ends it. Throws SetupError. */
export async function runRecord(settings: RecordSettings): Promise<void> {
  using session = await openSession({ ...settings, names: "all" }); // first: where nothing can be captured, no empty file is left
  const fd = openFile(settings.file);
  try {
    const { capture, source, clock, symbols } = session;
    const header = {
      version: 1,
      tool: settings.version,
      kernel: { release: release(), machine: machine() },
      rung: capture.installed.rung,
      stacks: settings.stacks,
      epoch: source.epoch,
      utcOffsetMinutes: -new Date().getTimezoneOffset(),
    } as const;
    const nameOf = (address: bigint) => symbols?.resolve(address);
    const writer = new RecordingWriter(fd, { header, capture: capture.capture, nameOf });
    session.onRearm.add((events) => writer.events(events));
    using _stop = stopWhen(() => source.stop(), { seconds: settings.duration, signal: settings.signal });
    settings.say(`Recording TCP retransmits to ${settings.file} (${capture.installed.rung}). Ctrl-C ends it`);
    let pages = 0;
    const page: PageVisitor = (cpu, view, byteLength) => {
      pages++;
      return writer.page(cpu, view, byteLength);
    };
    for (;;) {
      const drained = (source as PageSource).drain(page);
      writer.tick(drained.watermark, clock.unixNanos(source.epochNanos));
      if (drained.ended) break;
      await source.wait(drained);
    }
    const overrun = readOverrun(capture.instance);
    writer.end(overrun);
    settings.say(
      `Recorded ${pages} pages${overrun > 0 ? `; ${overrun} records were overwritten before` : ""}`,
    );
  } finally {
    closeSync(fd);
  }
}

function openFile(path: string): number {
  try {
    return openSync(path, "wx", 0o600);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "an error";
    throw new SetupError("file", `Cannot record to ${path}: open says ${code}`, {
      cause: error,
      remedy:
        code === "EEXIST"
          ? "Name a file that does not exist: a recording is never written over"
          : "Name a file in a directory that exists and can be written",
    });
  }
}
