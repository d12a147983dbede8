import { closeSync, openSync, readFileSync } from "node:fs";
import type { RecordingHeader } from "../../src/agent/recording-format.ts";
import { RecordingReader } from "../../src/agent/recording-reader.ts";
import type { Role } from "../../src/probe/probe-record.ts";
import type { SocketLayout } from "../../src/probe/socket-layout.ts";
import { type EventFormat, parseEventFormat } from "../../src/tracefs/event-format.ts";

/** Debian kernels whose rung `kprobe` was recorded; 5.10 has no eprobes. */
export const KPROBE_KERNELS = ["5.10", "6.1", "6.12", "7.2"] as const;

/**
 * Every recording of test/fixtures/recordings, made by RecordingWriter on that kernel under loss that nftables makes.
 * Those named "migrated" are pages of `tcpretrans record` under netem's loss while the sender's affinity changed every 1.5 ms:
 * 6.12 was booted with preempt=full, 7.2 as Debian has it (lazy).
 */
export const RECORDINGS = [
  ...KPROBE_KERNELS,
  "5.10-nested",
  "6.12-stacks",
  "6.12-nested",
  "6.12-migrated",
  "7.2-migrated",
  "6.18-tracepoint",
] as const;
export type RecordingName = (typeof RECORDINGS)[number];

/** Where a recording lies. */
export function recordingPath(name: RecordingName): string {
  return fixturePath(`${name}.rec`);
}

/** Where something beside the recordings lies. */
export function fixturePath(file: string): string {
  return new URL(`../fixtures/recordings/${file}`, import.meta.url).pathname;
}

/** The header of a recording: formats of every probe, and facts of the kernel. */
export function recordingHeader(name: RecordingName): RecordingHeader {
  const fd = openSync(recordingPath(name), "r");
  try {
    return new RecordingReader(fd).header();
  } finally {
    closeSync(fd);
  }
}

/** The format that a kernel gave to the probe of a role. */
export function kernelFormat(name: RecordingName, role: Role): EventFormat {
  const found = recordingHeader(name).events.find((event) => event.role === role);
  if (found === undefined) throw new TypeError(`Cannot find a format: ${name} has no probe of role ${role}`);
  return parseEventFormat(found.format);
}

/** Where a kernel keeps the members of a socket, as its BTF said. */
export function kernelLayout(name: (typeof KPROBE_KERNELS)[number]): SocketLayout {
  return JSON.parse(readFileSync(fixturePath(`${name}.layout.json`), "utf8"));
}

/** The kernel's own text of tcp:tcp_retransmit_skb and tcp:tcp_retransmit_synack while a recording was made. */
export function kernelText(name: RecordingName): readonly string[] {
  const lines = readFileSync(fixturePath(`${name}.txt`), "utf8").split("\n");
  return lines.filter((line) => line !== "" && !line.startsWith("#"));
}
