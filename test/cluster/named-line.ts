import { closeSync, openSync, readSync } from "node:fs";
import { hostPort } from "../lab/cluster/plan.ts";

/** A `--json` line with the names of its ends. */
export interface NamedLine {
  /** Unix time in ms. */
  readonly time: number;
  /** `address:port` as the pods' program writes it. */
  readonly local: string;
  readonly peer: string;
  /** It may be another node's. */
  readonly isUndetermined: boolean;
  readonly source: LineEnd;
  readonly destination: LineEnd;
}

/** One end; undefined: the line has no such key. */
export interface LineEnd {
  readonly kind: string | undefined;
  readonly name: string | undefined;
  readonly method: string | undefined;
  readonly pod: string | undefined;
  readonly service: string | undefined;
  readonly node: string | undefined;
  readonly zone: string | undefined;
}

/** What one read of a growing file takes at most. */
const READ_BYTES = 1024 * 1024;

/** Every event that a tcpretrans has printed to a file so far; its counters and summaries are no events. */
export class NamedLines {
  readonly #file: string;
  readonly #lines: NamedLine[] = [];
  readonly #buffer = Buffer.alloc(READ_BYTES);
  #offset = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** Reads what is new: a storm makes tens of megabytes, and they are asked for again and again. */
  get all(): readonly NamedLine[] {
    const fd = openSync(this.#file, "r");
    try {
      for (;;) {
        const length = readSync(fd, this.#buffer, 0, READ_BYTES, this.#offset);
        // The last line may be cut off.
        const end = this.#buffer.subarray(0, length).lastIndexOf("\n") + 1;
        if (end === 0) return this.#lines;
        const text = this.#buffer.toString("utf8", 0, end);
        for (const line of text.split("\n")) if (isEventLine(line)) this.#lines.push(parse(line));
        this.#offset += end;
      }
    } finally {
      closeSync(fd);
    }
  }
}

/** Whether a line of the output is an event's, and not of the agent's log. */
export function isEventLine(line: string): boolean {
  return line.startsWith("{") && line.includes('"event.name":');
}

function parse(text: string): NamedLine {
  const line = JSON.parse(text);
  const end = (side: string): LineEnd => ({
    kind: line[`${side}.kind`],
    name: line[`${side}.name`],
    method: line[`${side}.attribution`],
    pod: line[`${side}.k8s.pod.name`],
    service: line[`${side}.k8s.service.name`],
    node: line[`${side}.k8s.node.name`],
    zone: line[`${side}.cloud.availability_zone`],
  });
  return {
    time: Date.parse(line.timestamp),
    local: hostPort(line["source.address"], line["source.port"]),
    peer: hostPort(line["destination.address"], line["destination.port"]),
    isUndetermined: line["tcpretrans.ownership"] === "undetermined",
    source: end("source"),
    destination: end("destination"),
  };
}
