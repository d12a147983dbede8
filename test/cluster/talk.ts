import type { LineEnd, NamedLine } from "./named-line.ts";
import type { Connection, TrafficLog, TrafficReport } from "./traffic-log.ts";

/** Who had which end of a connection, by what the pods themselves said: the truth that names are held against. */
export class Talk {
  /** By the opener's address and port, in order of time. */
  readonly #opened: ReadonlyMap<string, readonly Connection[]>;
  /** By the opener's address and port as the acceptor saw it. */
  readonly #accepted: ReadonlyMap<string, readonly Connection[]>;
  /** When each pod's program began, in Unix ms. */
  readonly #started: ReadonlyMap<string, number>;

  constructor(log: TrafficLog) {
    const starts = log.reports.filter(({ event }) => event === "start");
    this.#started = new Map(starts.map(({ pod, time }) => [pod, time]));
    const byTime = (a: TrafficReport, b: TrafficReport) => a.time - b.time;
    this.#opened = Map.groupBy(log.connections("open").toSorted(byTime), ({ local }) => local);
    this.#accepted = Map.groupBy(log.connections("accept").toSorted(byTime), ({ peer }) => peer);
  }

  /**
   * Pods at both ends of a connection by the opener's address and port, as of a time: the last one that opened before,
   * or, for what was sent before it was open, the next. Undefined where nobody reported one. The acceptor is undefined
   * also before it began: a SYN that it answered in the end went before to whoever had its address, if anybody had.
   */
  ends(
    opener: string,
    time: number,
  ): { readonly opener: string; readonly acceptor: string | undefined } | undefined {
    const open = atTime(this.#opened.get(opener), time);
    if (open === undefined) return undefined;
    const acceptor = atTime(this.#accepted.get(opener), time)?.pod;
    const sinceMs = (acceptor !== undefined && this.#started.get(acceptor)) || 0;
    return { opener: open.pod, acceptor: time >= sinceMs ? acceptor : undefined };
  }
}

/** Clocks of the nodes differ by some ms. */
const SKEW_MS = 100;

function atTime(connections: readonly Connection[] = [], time: number): Connection | undefined {
  return connections.findLast((connection) => connection.time <= time + SKEW_MS) ?? connections[0];
}

/** How the names of one end compare with the truth. */
export interface Tally {
  readonly end: "source" | "destination";
  right: number;
  /** Another pod, or `external`. */
  wrong: number;
  /** No pod, where one can be known. */
  unknown: number;
  /** Of these, which pod it was, and when, in Unix ms. */
  readonly missed: { readonly pod: string; readonly time: number }[];
  /** Pods that were named rightly. */
  readonly pods: Set<string>;
  /** What was not right, wrong ones first. */
  readonly examples: string[];
}

/** Holds the names of both ends against the truth, on connections to or from some ports. */
export function tallyNames(
  talk: Talk,
  lines: readonly NamedLine[],
  ports: { readonly low: number; readonly high: number },
): { readonly source: Tally; readonly destination: Tally; readonly untold: number } {
  const [source, destination] = [newTally("source"), newTally("destination")];
  let untold = 0;
  for (const line of lines) {
    if (![line.local, line.peer].some((end) => isPortIn(end, ports))) continue;
    const opened = talk.ends(line.local, line.time);
    const accepted = opened ?? talk.ends(line.peer, line.time);
    if (accepted === undefined) {
      untold++;
      continue;
    }
    const isOpener = opened !== undefined;
    tell(source, line, isOpener ? accepted.opener : accepted.acceptor);
    tell(destination, line, isOpener ? accepted.acceptor : accepted.opener);
  }
  return { source, destination, untold };
}

function tell(tally: Tally, line: NamedLine, truth: string | undefined): void {
  if (truth === undefined) return;
  const said: LineEnd = line[tally.end];
  if (said.pod === truth) {
    tally.right++;
    tally.pods.add(truth);
    return;
  }
  const isUnknown = said.pod === undefined && said.kind !== "external";
  if (isUnknown) {
    tally.unknown++;
    tally.missed.push({ pod: truth, time: line.time });
  } else tally.wrong++;
  const when = new Date(line.time).toISOString().slice(14, 23);
  const example = `${when} ${line.local} to ${line.peer}: ${said.kind} ${said.name} (${said.method}), not ${truth}`;
  if (isUnknown) tally.examples.push(example);
  else tally.examples.unshift(example);
}

function isPortIn(end: string, { low, high }: { readonly low: number; readonly high: number }): boolean {
  const port = Number(end.slice(end.lastIndexOf(":") + 1));
  return port >= low && port <= high;
}

function newTally(end: Tally["end"]): Tally {
  return { end, right: 0, wrong: 0, unknown: 0, missed: [], pods: new Set(), examples: [] };
}
