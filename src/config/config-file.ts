import {
  type Document,
  type ErrorCode,
  isMap,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from "yaml";
import { isRecord } from "./is-record.ts";

/** A place in a configuration: keys, and numbers in lists. */
export type Path = readonly (string | number)[];

/** Where something stands in a file; both numbers begin at 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
  /** `agent.yaml:3:10`. */
  readonly text: string;
}

/** What a YAML file holds, with where each part of it stands. */
export interface ConfigFile {
  /** The mapping, without what only the problems tell of. */
  readonly value: Readonly<Record<string, unknown>>;
  /** What is no YAML, or none that a configuration may be. */
  readonly problems: readonly string[];
  /** Where the value at a path begins, or what is nearest around it. */
  at(path: Path): Place;
  /** Where the last key of a path begins. */
  atKey(path: Path): Place;
}

/** Reads a configuration's text; it never throws. `name` is what problems call the file. */
export function parseConfigFile(text: string, name: string): ConfigFile {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, stringKeys: true });
  const place = (offset: number): Place => {
    const { line, col } = lineCounter.linePos(offset);
    return { line, column: col, text: `${name}:${line}:${col}` };
  };
  const at = (path: Path) => place(nodeAt(document, path)?.range?.[0] ?? 0);
  const atKey = (path: Path) => place(keyAt(document, path)?.range?.[0] ?? 0);
  const problems = [...document.errors, ...document.warnings].map(
    ({ code, message, pos }) => `${place(pos[0]).text}: Cannot read the file: ${SAID[code] ?? message}`,
  );
  if (problems.length === 0) problems.push(...brokenAliases(document, place));
  const value = problems.length === 0 ? contentOf(document) : {};
  if (isRecord(value)) return { value, problems, at, atKey };
  const problem =
    value === undefined
      ? "give fewer aliases (*): they stand for more than a configuration can hold"
      : "give keys with their values";
  return { value: {}, problems: [`${place(0).text}: Cannot use the file: ${problem}`], at, atKey };
}

/** Where the parser speaks to programmers. */
const SAID: Readonly<Partial<Record<ErrorCode, string>>> = {
  MULTIPLE_DOCS: "a second document begins here; give one",
};

/** An empty file holds nothing; undefined is one whose aliases would grow beyond all bounds. */
function contentOf(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    if (error instanceof ReferenceError) return undefined; // yaml's word for it
    throw error;
  }
}

/** Those that name nothing, and those inside what they name: that would have no end. */
function brokenAliases(document: Document, place: (offset: number) => Place): readonly string[] {
  const problems: string[] = [];
  visit(document, {
    Alias(_, alias, around) {
      const named = alias.resolve(document);
      const where = `${place(alias.range?.[0] ?? 0).text}: Cannot read the file`;
      if (named === undefined) problems.push(`${where}: no anchor before it is named &${alias.source}`);
      else if (around.includes(named))
        problems.push(`${where}: *${alias.source} stands inside &${alias.source}`);
    },
  });
  return problems;
}

/** The node at a path, or the one nearest around it that is there. */
function nodeAt(document: Document, path: Path): Node | undefined {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node)) return node;
  }
  return document.contents ?? undefined;
}

function keyAt(document: Document, path: Path): Node | undefined {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const last = String(path.at(-1));
  const pair = isMap(parent)
    ? parent.items.find(({ key }) => isScalar(key) && key.value === last)
    : undefined;
  return isNode(pair?.key) ? pair.key : nodeAt(document, path);
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "range" in value;
}
