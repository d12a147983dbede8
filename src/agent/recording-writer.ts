import { writeSync } from "node:fs";
import { type TraceNanos, traceNanos } from "../event/trace-nanos.ts";
import type { CaptureLayout } from "../probe/page-decoder.ts";
import {
  PointerAliases,
  type RecordScrubber,
  recordScrubber,
  scrubStack,
  scrubUnknown,
} from "../probe/pointer-aliases.ts";
import { type PageLayout, parseHeaderPage } from "../ring-buffer/page-layout.ts";
import { readPage } from "../ring-buffer/read-page.ts";
import { SetupError } from "../syscall/setup-error.ts";
import {
  CHUNK,
  encodeJsonChunk,
  encodePageChunk,
  encodeTickChunk,
  MAGIC,
  type RecordedEvent,
  type RecordingHeader,
} from "./recording-format.ts";

export interface RecordingOptions {
  readonly header: Omit<RecordingHeader, "headerPage" | "events" | "stackFormat" | "facts">;
  readonly capture: CaptureLayout;
  /** The name of a kernel function by an address inside it. */
  readonly nameOf: (address: bigint) => string | undefined;
}

/** Writes a recording to an open file: raw pages with every kernel address replaced by an alias. */
export class RecordingWriter {
  readonly #fd: number;
  readonly #options: RecordingOptions;
  readonly #layout: PageLayout;
  readonly #aliases = new PointerAliases();
  readonly #scrubbers: (RecordScrubber | undefined)[] = [];
  readonly #stackId: number;
  readonly #named = new Set<bigint>();
  #newSymbols: [bigint, string][] = [];

  constructor(fd: number, options: RecordingOptions) {
    this.#fd = fd;
    this.#options = options;
    this.#layout = parseHeaderPage(options.capture.headerPage);
    this.#stackId = options.capture.stackFormat?.id ?? -1;
    this.#learn(options.capture.events);
    const { capture } = options;
    const header: RecordingHeader = {
      ...options.header,
      headerPage: capture.headerPage,
      events: recordedEvents(capture.events),
      stackFormat: capture.stackFormat?.text,
      facts: capture.facts,
    };
    this.#write(Buffer.from(MAGIC, "latin1"));
    this.#write(encodeJsonChunk(CHUNK.header, header));
  }

  /** Records formats of probes that were installed again. */
  events(events: CaptureLayout["events"]): void {
    this.#learn(events);
    this.#write(encodeJsonChunk(CHUNK.events, recordedEvents(events)));
  }

  /** Stores one page and gives the time of its last record; the view is not kept. */
  page(cpu: number, view: DataView, byteLength: number): TraceNanos {
    const { dataOffset, commitOffset } = this.#layout;
    if (byteLength < dataOffset) return traceNanos(0);
    const commit = view.getUint32(commitOffset, true);
    // The count of missed records, where there is one, follows the data.
    const dataEnd = dataOffset + (commit & 0x7ffffff);
    const end = dataEnd + (commit >>> 30 === 0 ? 0 : 8);
    const page = new Uint8Array(view.buffer, view.byteOffset, Math.min(byteLength, end)).slice();
    const copy = new DataView(page.buffer);
    const { epoch } = this.#options.header;
    let read = dataOffset;
    const scrub = (offset: number, length: number) => {
      this.#scrub(copy, offset, length);
      read = offset + length;
    };
    const discard = (offset: number, length: number) => {
      page.fill(0, offset, offset + length);
      read = offset + length;
    };
    const { endTime, fault } = readPage(copy, page.length, this.#layout, epoch, scrub, discard);
    // Two words say what the fault is; what follows them was not read, so not scrubbed.
    if (fault !== undefined) page.fill(0, read + 8, Math.max(read + 8, dataEnd));
    this.#writeSymbols();
    this.#write(encodePageChunk(cpu, page));
    return traceNanos(endTime);
  }

  tick(watermark: TraceNanos, epochUnixNanos: bigint): void {
    this.#write(encodeTickChunk(watermark, epochUnixNanos));
  }

  /** Closes the recording with what the kernel had overwritten. */
  end(overrun: number): void {
    this.#write(encodeJsonChunk(CHUNK.end, { overrun }));
  }

  #learn(events: CaptureLayout["events"]): void {
    for (const { format } of events) this.#scrubbers[format.id] = recordScrubber(format, this.#aliases);
  }

  #scrub(view: DataView, offset: number, length: number): void {
    if (length < 8) return;
    const id = view.getUint16(offset, true);
    if (id === this.#stackId) scrubStack(view, offset, length, (address) => this.#aliasOfFunction(address));
    else (this.#scrubbers[id] ?? scrubUnknown)(view, offset, length);
  }

  #aliasOfFunction(address: bigint): bigint {
    const alias = this.#aliases.of(address);
    if (!this.#named.has(alias)) {
      this.#named.add(alias);
      const name = this.#options.nameOf(address);
      if (name !== undefined) this.#newSymbols.push([alias, name]);
    }
    return alias;
  }

  #writeSymbols(): void {
    if (this.#newSymbols.length === 0) return;
    this.#write(encodeJsonChunk(CHUNK.symbols, this.#newSymbols));
    this.#newSymbols = [];
  }

  #write(bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? "an error";
      throw new SetupError("file", `Cannot write the recording: the file says ${code}`, {
        cause: error,
        remedy:
          code === "ENOSPC"
            ? "Free some space or record to another disk; what was written replays"
            : "Record to another file",
      });
    }
  }
}

function recordedEvents(events: CaptureLayout["events"]): readonly RecordedEvent[] {
  return events.map(({ role, format, stack }) => {
    return { role, format: format.text, ...(stack === undefined ? {} : { stack }) };
  });
}
