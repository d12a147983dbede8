import { readFileSync } from "node:fs";
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

/** Every event that a tcpretrans printed to a file; its counters and summaries are no events. */
export function readNamedLines(file: string): readonly NamedLine[] {
  // The last line may be cut off.
  return readFileSync(file, "utf8").split("\n").slice(0, -1).filter(isEventLine).map(parse);
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
