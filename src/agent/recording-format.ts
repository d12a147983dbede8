import type { Rung } from "../event/tcp-event.ts";
import type { KernelFacts } from "../probe/decode-record.ts";
import type { Role } from "../probe/probe-record.ts";

/**
 * A recording: 8 bytes of magic, then chunks of `u8 kind, u32 length` (little-endian) and that many bytes.
 * `header` comes first and `end` last; a file without `end` was cut off and replays up to there.
 */
export const MAGIC = "TCPRETR1";

export const CHUNK = {
  /** JSON: RecordingHeader. */
  header: 1,
  /** u16 CPU, then the page's bytes up to its last record. */
  page: 2,
  /** f64 watermark in ns since the epoch, i64 Unix time of the epoch in ns. */
  tick: 3,
  /** JSON: [address, name][]: the kernel functions that the following stacks name. */
  symbols: 4,
  /** JSON: events of probes that were installed again. */
  events: 5,
  /** JSON: { overrun }: records that the kernel overwrote before they were read. */
  end: 6,
} as const;

/** A probe's role and the text of its format file. */
export interface RecordedEvent {
  readonly role: Role;
  /** A kernel_stack record follows each of its records; absent: it does where the recording has stacks. */
  readonly stack?: boolean;
  readonly format: string;
}

export interface RecordingHeader {
  readonly version: 1;
  readonly tool: string;
  readonly kernel: { readonly release: string; readonly machine: string };
  readonly rung: Rung;
  readonly stacks: boolean;
  readonly headerPage: string;
  readonly events: readonly RecordedEvent[];
  /** Text of the kernel_stack format; absent without stacks. */
  readonly stackFormat?: string | undefined;
  readonly facts: KernelFacts;
  /** Trace clock at the epoch: a u64 as two u32. */
  readonly epoch: { readonly hi: number; readonly lo: number };
  /** Minutes east of UTC where it was recorded: TIME is shown in that zone. */
  readonly utcOffsetMinutes: number;
}

/** Why bytes are not a recording, or not one that this version reads. */
export class RecordingError extends Error {
  override readonly name = "RecordingError";
}

/** Frames one chunk. */
export function encodeChunk(kind: number, payload: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(5 + payload.length);
  const view = new DataView(chunk.buffer);
  view.setUint8(0, kind);
  view.setUint32(1, payload.length, true);
  chunk.set(payload, 5);
  return chunk;
}

/** Frames a JSON chunk; bigint becomes a decimal string. */
export function encodeJsonChunk(kind: number, value: unknown): Uint8Array {
  const text = JSON.stringify(value, (_, item) => (typeof item === "bigint" ? `${item}` : item));
  return encodeChunk(kind, new TextEncoder().encode(text));
}

/** Frames a page's bytes. */
export function encodePageChunk(cpu: number, page: Uint8Array): Uint8Array {
  const payload = new Uint8Array(2 + page.length);
  new DataView(payload.buffer).setUint16(0, cpu, true);
  payload.set(page, 2);
  return encodeChunk(CHUNK.page, payload);
}

/** Frames a tick. */
export function encodeTickChunk(watermark: number, epochUnixNanos: bigint): Uint8Array {
  const payload = new DataView(new ArrayBuffer(16));
  payload.setFloat64(0, watermark, true);
  payload.setBigInt64(8, epochUnixNanos, true);
  return encodeChunk(CHUNK.tick, new Uint8Array(payload.buffer));
}
