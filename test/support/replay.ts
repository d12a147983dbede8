import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RecordedSource, recordedLayout } from "../../src/agent/recorded-source.ts";
import type { RecordingHeader } from "../../src/agent/recording-format.ts";
import { RecordingReader } from "../../src/agent/recording-reader.ts";
import type { TcpEvent } from "../../src/event/tcp-event.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { type DecodeCounts, PageDecoder } from "../../src/probe/page-decoder.ts";
import { Pairer, type PairingCounts, type SynAckTimer } from "../../src/probe/pairer.ts";
import type { ProbeRecord } from "../../src/probe/probe-record.ts";

/** All that a recording gives. */
export interface Replayed {
  readonly header: RecordingHeader;
  readonly records: readonly ProbeRecord[];
  readonly events: readonly TcpEvent[];
  readonly synAckTimers: readonly SynAckTimer[];
  readonly symbols: ReadonlyMap<bigint, string>;
  readonly decoded: DecodeCounts;
  readonly paired: PairingCounts;
  /** What the kernel had overwritten; undefined where the file was cut off. */
  readonly overrun: number | undefined;
}

/** Plays a recording's file through decoder and pairer at once; throws what they throw. */
export function replayFile(path: string): Replayed {
  const fd = openSync(path, "r");
  try {
    return replay(new RecordingReader(fd));
  } finally {
    closeSync(fd);
  }
}

/** The same for a recording in memory. */
export function replayBytes(bytes: Uint8Array): Replayed {
  return withFile(bytes, replayFile);
}

/** Runs `use` with a file that holds the bytes. */
export function withFile<T>(bytes: Uint8Array, use: (path: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), "tcpretrans-test-"));
  try {
    const path = join(directory, "file.rec");
    writeFileSync(path, bytes);
    return use(path);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const END = traceNanos(Number.POSITIVE_INFINITY);

/** What pump() does, without its waits, and keeping the records too. */
function replay(reader: RecordingReader): Replayed {
  const header = reader.header();
  const layout = recordedLayout(header);
  const decoder = new PageDecoder(layout, layout.epoch);
  const records: ProbeRecord[] = [];
  const events: TcpEvent[] = [];
  const synAckTimers: SynAckTimer[] = [];
  const symbols = new Map<bigint, string>();
  let overrun: number | undefined;
  const pairer = new Pairer({
    rung: header.rung,
    functionsOf: (stack) => stack.map((address) => symbols.get(address) ?? "?"),
    emit: (event) => events.push(event),
    synAckTimer: (timer) => synAckTimers.push(timer),
  });
  const source = new RecordedSource(reader, {
    clock: () => {},
    symbols: (names) => names.forEach(([address, name]) => void symbols.set(address, name)),
    events: (events) => decoder.addEvents(events),
    end: (lost) => {
      overrun = lost;
    },
  });
  for (let ended = false; !ended; ) {
    const drained = source.drain((cpu, view, byteLength) => decoder.page(cpu, view, byteLength));
    ended = drained.ended;
    for (const record of decoder.take(ended ? END : drained.watermark)) {
      records.push(record);
      pairer.push(record);
    }
    pairer.settle(drained.watermark);
  }
  pairer.end();
  const { counts: decoded } = decoder;
  return { header, records, events, synAckTimers, symbols, decoded, paired: pairer.counts, overrun };
}
