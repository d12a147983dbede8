import { fstatSync, readSync } from "node:fs";
import { ROLES } from "../probe/probe-record.ts";
import {
  CHUNK,
  MAGIC,
  type RecordedEvent,
  RecordingError,
  type RecordingHeader,
} from "./recording-format.ts";

/** One chunk; its payload is valid until the next is read. */
export interface Chunk {
  readonly kind: number;
  readonly payload: DataView;
}

/** Bytes read at once, and the largest chunk that can be one of ours (a page of a 64 KiB kernel, a list of symbols). */
const BLOCK = 1 << 20;
const MAX_CHUNK = 16 << 20;

const DAY_MINUTES = 24 * 60;
/** Above every CONFIG_HZ (alpha's 1200 is the highest). */
const MAX_HZ = 10_000;

/** Reads a recording chunk by chunk from an open file; throws RecordingError where it is not one. */
export class RecordingReader {
  readonly #fd: number;
  readonly #size: number;
  #block = Buffer.allocUnsafeSlow(BLOCK);
  #at = 0;
  #end = 0;
  #read = 0;

  constructor(fd: number) {
    this.#fd = fd;
    this.#size = fstatSync(fd).size;
    if (!this.#fill(MAGIC.length) || this.#block.toString("latin1", 0, MAGIC.length) !== MAGIC) {
      throw new RecordingError("Cannot replay: the file is not a tcpretrans recording");
    }
    this.#at = MAGIC.length;
  }

  /** The next chunk; undefined at the end of the file, also where it was cut off inside a chunk. */
  next(): Chunk | undefined {
    if (!this.#fill(5)) return undefined;
    const kind = this.#block.readUInt8(this.#at);
    const length = this.#block.readUInt32LE(this.#at + 1);
    const place = this.#read - (this.#end - this.#at);
    if (length > MAX_CHUNK) {
      throw new RecordingError(`Cannot replay: byte ${place} of the recording begins no chunk`);
    }
    if (!this.#fill(5 + length)) return undefined;
    const { buffer, byteOffset } = this.#block;
    const payload = new DataView(buffer, byteOffset + this.#at + 5, length);
    this.#at += 5 + length;
    return { kind, payload };
  }

  /** Reads the first chunk, which must be a header of this version. */
  header(): RecordingHeader {
    const chunk = this.next();
    if (chunk?.kind !== CHUNK.header) throw new RecordingError("Cannot replay: the recording has no header");
    return checkHeader(parseJson(chunk.payload));
  }

  /** Has at least `count` bytes at the cursor, or false at the end of the file. The block's memory is used again. */
  #fill(count: number): boolean {
    const rest = this.#end - this.#at;
    if (rest >= count) return true;
    if (count > rest + this.#size - this.#read) return false;
    const block = count > this.#block.length ? Buffer.allocUnsafeSlow(count + BLOCK) : this.#block;
    this.#block.copy(block, 0, this.#at, this.#end);
    this.#block = block;
    this.#at = 0;
    this.#end = rest;
    while (this.#end < count) {
      const got = this.#readInto(block, this.#end);
      if (got === 0) return false;
      this.#end += got;
      this.#read += got;
    }
    return true;
  }

  #readInto(buffer: Buffer, offset: number): number {
    try {
      return readSync(this.#fd, buffer, offset, buffer.length - offset, null);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? "an error";
      throw new RecordingError(`Cannot replay: reading the file says ${code}`, { cause: error });
    }
  }
}

/** Parses the JSON of a chunk. */
export function parseJson(payload: DataView): unknown {
  const text = new TextDecoder().decode(payload);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new RecordingError("Cannot replay: the recording is damaged (a chunk is not JSON)", {
      cause: error,
    });
  }
}

/** Checks the list of events of a chunk. */
export function checkEvents(value: unknown): readonly RecordedEvent[] {
  const events = Array.isArray(value) ? value : [undefined];
  for (const event of events) {
    if (
      !isRecord(event) ||
      typeof event["format"] !== "string" ||
      !ROLES.some((role) => role === event["role"]) ||
      !["boolean", "undefined"].includes(typeof event["stack"])
    ) {
      throw new RecordingError("Cannot replay: the recording names a probe that this version does not know");
    }
  }
  return events;
}

function checkHeader(value: unknown): RecordingHeader {
  if (!isRecord(value) || value["version"] !== 1) {
    const version = isRecord(value) ? JSON.stringify(value["version"]) : "none";
    throw new RecordingError(
      `Cannot replay: the recording has format version ${version}, this tcpretrans reads 1`,
    );
  }
  const { tool, kernel, rung, stacks, headerPage, stackFormat, facts, epoch, utcOffsetMinutes } = value;
  const complete =
    [tool, headerPage, stackFormat ?? ""].every((text) => typeof text === "string") &&
    typeof stacks === "boolean" &&
    isRecord(kernel) &&
    typeof kernel["release"] === "string" &&
    typeof kernel["machine"] === "string" &&
    isFacts(facts) &&
    isRecord(epoch) &&
    isIntegerWithin(epoch["hi"], [0, 0xffff_ffff]) &&
    isIntegerWithin(epoch["lo"], [0, 0xffff_ffff]) &&
    (rung === "kprobe" || rung === "eprobe" || rung === "tracepoint") &&
    isIntegerWithin(utcOffsetMinutes, [-DAY_MINUTES, DAY_MINUTES]);
  if (!complete) throw new RecordingError("Cannot replay: the recording's header is damaged");
  checkEvents(value["events"]);
  return value as unknown as RecordingHeader; // every member that replaying uses was checked above
}

function isFacts(value: unknown): boolean {
  if (!isRecord(value) || !isRecord(value["caState"])) return false;
  const { shift, width } = value["caState"];
  const { hz } = value;
  return (
    isIntegerWithin(shift, [0, 7]) &&
    isIntegerWithin(width, [1, 8]) &&
    (hz === undefined || isIntegerWithin(hz, [1, MAX_HZ]))
  );
}

function isIntegerWithin(value: unknown, [low, high]: readonly [number, number]): boolean {
  return typeof value === "number" && Number.isInteger(value) && low <= value && value <= high;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
