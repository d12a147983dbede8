import { setImmediate } from "node:timers/promises";
import { type TraceNanos, traceNanos } from "../event/trace-nanos.ts";
import type { CaptureLayout } from "../probe/page-decoder.ts";
import { parseHeaderPage } from "../ring-buffer/page-layout.ts";
import type { PageEpoch } from "../ring-buffer/read-page.ts";
import { parseEventFormat } from "../tracefs/event-format.ts";
import type { Drained, PageSource, PageVisitor } from "./pump.ts";
import { CHUNK, type RecordedEvent, RecordingError, type RecordingHeader } from "./recording-format.ts";
import { checkEvents, parseJson, type RecordingReader } from "./recording-reader.ts";

/** What else a recording tells, as it is met. */
export interface RecordedListener {
  /** Unix time of the epoch in ns, from here on. */
  clock(epochUnixNanos: bigint): void;
  symbols(names: readonly (readonly [bigint, string])[]): void;
  events(events: CaptureLayout["events"]): void;
  /** The recording's own end, with what the kernel had overwritten; undefined where the file was cut off. */
  end(overrun: number | undefined): void;
}

/** An i64 holds 292 years of nanoseconds: no trace has a time beyond, and a Date has them all. */
const MAX_WATERMARK = 2 ** 63;

/** Plays a recording's pages tick by tick. */
export class RecordedSource implements PageSource {
  readonly #reader: RecordingReader;
  readonly #listener: RecordedListener;
  #stopped = false;
  #watermark = traceNanos(0);

  constructor(reader: RecordingReader, listener: RecordedListener) {
    this.#reader = reader;
    this.#listener = listener;
  }

  /** Ends the replay before its end. */
  stop(): void {
    this.#stopped = true;
  }

  drain(page: PageVisitor): Drained {
    if (this.#stopped) return this.#end(undefined);
    for (let chunk = this.#reader.next(); chunk !== undefined; chunk = this.#reader.next()) {
      const { kind, payload } = chunk;
      switch (kind) {
        case CHUNK.page: {
          if (payload.byteLength < 2)
            throw new RecordingError("Cannot replay: the recording is damaged (a page is too short)");
          const view = new DataView(payload.buffer, payload.byteOffset + 2, payload.byteLength - 2);
          page(payload.getUint16(0, true), view, view.byteLength);
          break;
        }
        case CHUNK.tick: {
          if (payload.byteLength < 16)
            throw new RecordingError("Cannot replay: the recording is damaged (a tick is too short)");
          this.#listener.clock(payload.getBigInt64(8, true));
          this.#watermark = checkWatermark(payload.getFloat64(0, true));
          return { watermark: this.#watermark, more: true, ended: false };
        }
        case CHUNK.symbols:
          this.#listener.symbols(checkSymbols(parseJson(payload)));
          break;
        case CHUNK.events:
          this.#listener.events(parseEvents(checkEvents(parseJson(payload))));
          break;
        case CHUNK.end:
          return this.#end(checkOverrun(parseJson(payload)));
        default:
          throw new RecordingError(`Cannot replay: the recording has a chunk of unknown kind ${kind}`);
      }
    }
    return this.#end(undefined);
  }

  async wait(): Promise<void> {
    await setImmediate();
  }

  #end(overrun: number | undefined): Drained {
    this.#listener.end(overrun);
    return { watermark: this.#watermark, more: false, ended: true };
  }
}

/** The layout that a recording's header describes; throws RecordingError where its texts make no sense. */
export function recordedLayout(header: RecordingHeader): CaptureLayout & { readonly epoch: PageEpoch } {
  return {
    headerPage: checkHeaderPage(header.headerPage),
    events: parseEvents(header.events),
    stackFormat: header.stackFormat === undefined ? undefined : parseFormat(header.stackFormat),
    facts: header.facts,
    epoch: header.epoch,
  };
}

function checkHeaderPage(text: string): string {
  try {
    parseHeaderPage(text);
    return text;
  } catch (error) {
    throw new RecordingError("Cannot replay: the recording has a page layout that cannot be read", {
      cause: error,
    });
  }
}

function parseEvents(events: readonly RecordedEvent[]): CaptureLayout["events"] {
  return events.map(({ format, ...event }) => ({ ...event, format: parseFormat(format) }));
}

function parseFormat(text: string) {
  try {
    return parseEventFormat(text);
  } catch (error) {
    throw new RecordingError("Cannot replay: the recording has an event format that cannot be read", {
      cause: error,
    });
  }
}

function checkWatermark(value: number): TraceNanos {
  // Not a number fails this too.
  if (Math.abs(value) < MAX_WATERMARK) return traceNanos(value);
  throw new RecordingError("Cannot replay: the recording is damaged (a tick has no time)");
}

function checkSymbols(value: unknown): readonly (readonly [bigint, string])[] {
  if (!Array.isArray(value)) throw new RecordingError("Cannot replay: the recording's symbols are damaged");
  return value.map((pair: unknown) => {
    const [address, name] = Array.isArray(pair) ? pair : [];
    if (typeof address !== "string" || !/^\d{1,20}$/.test(address) || typeof name !== "string") {
      throw new RecordingError("Cannot replay: the recording's symbols are damaged");
    }
    return [BigInt(address), name] as const;
  });
}

function checkOverrun(value: unknown): number {
  const overrun = (value as { readonly overrun?: unknown } | null)?.overrun;
  return typeof overrun === "number" ? overrun : 0;
}
