import type { Received } from "../../export/otlp/decode-otlp.ts";

/** A span in the words of the Collector's debug exporter (`verbosity: detailed`), which has its own decoder. */
export interface PrintedSpan {
  /** Trace and span id. */
  readonly ids: string;
  readonly name: string;
  /** Unset, Ok or Error. */
  readonly status: string;
  /** As `Str(recovered)` or `Int(4)`. */
  readonly attributes: ReadonlyMap<string, string>;
  /** Names of its events, in order. */
  readonly events: readonly string[];
}

const STATUS = new Map([
  [undefined, "Unset"],
  [0n, "Unset"],
  [1n, "Ok"],
  [2n, "Error"],
]);

/** Reads the Collector's log. */
export function parsePrintedSpans(text: string): readonly PrintedSpan[] {
  return text
    .split(/^Span #\d+$/m)
    .slice(1)
    .map((block) => parseSpan(block.split(/^(?:ScopeSpans|ResourceSpans) #|^\t\{/m)[0] ?? ""));
}

function parseSpan(block: string): PrintedSpan {
  const [head = "", ...events] = block.split(/^SpanEvent #\d+$/m);
  const told = (name: string) => new RegExp(`^ {4}${name} *: (.*)$`, "m").exec(head)?.[1] ?? "";
  const attributes = [...head.matchAll(/^ {5}-> ([^:\s]+): (.*)$/gm)];
  return {
    ids: `${told("Trace ID")} ${told("ID")}`,
    name: told("Name"),
    status: told("Status code"),
    attributes: new Map(attributes.map(([, key = "", value = ""]) => [key, value])),
    events: events.map((event) => /^ {5}-> Name: (.*)$/m.exec(event)?.[1] ?? ""),
  };
}

/** Where the Collector's words and what it has forwarded are not the same spans. One that was sent again is printed again. */
export function differentSpans(
  printed: readonly PrintedSpan[],
  received: readonly Received[],
): readonly string[] {
  const left = new Map(printed.map((span) => [span.ids, span]));
  const problems = received.flatMap((span) => {
    const ids = `${span.traceId} ${span.spanId}`;
    const own = left.get(ids);
    left.delete(ids);
    const differing = own === undefined ? ["is not printed"] : differences(own, span);
    return differing.map((what) => `span ${ids}: ${what}`);
  });
  return [...problems, ...[...left.keys()].map((ids) => `span ${ids}: is printed and did not arrive`)];
}

function differences(printed: PrintedSpan, span: Received): readonly string[] {
  const attributes = new Map(Object.entries(span.attributes));
  const keys = [...new Set([...printed.attributes.keys(), ...attributes.keys()])];
  const pairs: readonly (readonly [what: string, printed: unknown, received: unknown])[] = [
    ["name", printed.name, span.name],
    ["status", printed.status, STATUS.get(span.status)],
    ["events", printed.events.join(), span.events.join()],
    ...keys.map((key) => [key, printed.attributes.get(key), printedValue(attributes.get(key))] as const),
  ];
  return pairs
    .filter(([, one, other]) => one !== other)
    .map(([what, one, other]) => `${what} is ${other}, printed ${one}`);
}

function printedValue(value: unknown): string | undefined {
  if (typeof value === "string") return `Str(${value})`;
  if (typeof value === "boolean") return `Bool(${value})`;
  if (typeof value !== "number") return undefined;
  return `${Number.isInteger(value) ? "Int" : "Double"}(${value})`;
}
