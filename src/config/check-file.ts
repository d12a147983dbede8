import * as v from "valibot";
import type { ConfigFile, Path, Place } from "./config-file.ts";
import { didYouMean } from "./did-you-mean.ts";
import { hideCredentials, isEndpoint } from "./hide-credentials.ts";
import { isRecord } from "./is-record.ts";
import { entriesOf, itemOf, schemaAt, unwrap } from "./leaf.ts";
import { CONFIG_SCHEMA } from "./schema.ts";
import { SETTINGS } from "./settings.ts";

/** Everything that is wrong with what a file holds, a sentence each with its place and in the file's order. */
export function checkFile(file: ConfigFile): readonly string[] {
  const unknown = unknownKeys(CONFIG_SCHEMA, file.value, []);
  const known = markLists(CONFIG_SCHEMA, without(file.value, unknown));
  const { issues = [] } = v.safeParse(CONFIG_SCHEMA, known, { abortPipeEarly: true });
  return [
    ...unknown.map((path) => ({ place: file.atKey(path), sentence: explainUnknown(path) })),
    ...issues.map((issue) => explainIssue(issue, file)),
  ]
    .sort(({ place: a }, { place: b }) => a.line - b.line || a.column - b.column)
    .map(({ place, sentence }) => `${place.text}: ${sentence}`);
}

/** A path as people write it: `names.cidrs[1].cidr`. */
export function formatPath(path: Path): string {
  return path.reduce<string>(
    (text, key) => (typeof key === "number" ? `${text}[${key}]` : text === "" ? key : `${text}.${key}`),
    "",
  );
}

/** The schema itself stops at the first unknown key. */
function unknownKeys(schema: v.GenericSchema, value: unknown, path: Path): readonly Path[] {
  const inner = unwrap(schema);
  const item = itemOf(inner);
  if (item !== undefined && Array.isArray(value)) {
    return value.flatMap((entry: unknown, index) => unknownKeys(item, entry, [...path, index]));
  }
  const entries = entriesOf(inner);
  if (entries === undefined || !isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, below]) => {
    const known = Object.hasOwn(entries, key) ? entries[key] : undefined;
    return known === undefined ? [[...path, key]] : unknownKeys(known, below, [...path, key]);
  });
}

interface Explained {
  readonly place: Place;
  readonly sentence: string;
}

function explainIssue(issue: v.BaseIssue<unknown>, file: ConfigFile): Explained {
  const path = pathOf(issue);
  const cannot = `Cannot use ${formatPath(path)}`;
  if (issue.path?.at(-1)?.origin === "key") {
    return { place: file.atKey(path), sentence: `${cannot}: ${issue.message}` };
  }
  return { place: file.at(path), sentence: `${cannot}${shown(issue, path)}: ${issue.message}` };
}

function explainUnknown(path: Path): string {
  const key = String(path.at(-1));
  const parent = path.slice(0, -1);
  const entries = schemaAt(parent.map(String));
  const siblings = Object.keys((entries === undefined ? undefined : entriesOf(entries)) ?? {});
  const meant = didYouMean(key, siblings);
  const unknown = `Unknown key ${formatPath(path)}`;
  if (meant !== undefined) return `${unknown}: did you mean ${formatPath([...parent, meant])}?`;
  if (SETTINGS.some((setting) => setting.path === key)) {
    return `${unknown}: write ${key.replaceAll(".", ": ")}, each key on a line of its own`;
  }
  const elsewhere = SETTINGS.find((setting) => setting.path.split(".").at(-1) === key)?.path;
  if (elsewhere !== undefined) return `${unknown}: did you mean ${elsewhere}?`;
  return `${unknown}: give ${siblings.join(", ")}`;
}

/** A copy that lacks what stands at the paths. */
function without(value: unknown, paths: readonly Path[], at: Path = []): unknown {
  if (Array.isArray(value))
    return value.map((entry: unknown, index) => without(entry, paths, [...at, index]));
  if (!isRecord(value)) return value;
  const gone = new Set(paths.map((path) => JSON.stringify(path)));
  const kept = Object.entries(value).filter(([key]) => !gone.has(JSON.stringify([...at, key])));
  return Object.fromEntries(kept.map(([key, below]) => [key, without(below, paths, [...at, key])]));
}

/** Stands for a list where keys belong: the schema would take it for an object, which in JavaScript it is. */
const A_LIST = Symbol("a list");

function markLists(schema: v.GenericSchema, value: unknown): unknown {
  const inner = unwrap(schema);
  const item = itemOf(inner);
  if (Array.isArray(value)) {
    if (item === undefined) return A_LIST;
    return value.map((entry: unknown) => markLists(item, entry));
  }
  const entries = entriesOf(inner);
  if (entries === undefined || !isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, below]) => {
      const known = entries[key];
      return [key, known === undefined ? below : markLists(known, below)];
    }),
  );
}

function pathOf(issue: v.BaseIssue<unknown>): Path {
  return (issue.path ?? []).map(({ key }) => (typeof key === "number" ? key : String(key)));
}

/** What was written, where it is one word and no secret. */
function shown(issue: v.BaseIssue<unknown>, path: Path): string {
  if (path.includes("headers")) return "";
  if (["object", "symbol", "undefined"].includes(typeof issue.input)) return "";
  const text = String(issue.input);
  return ` ${isEndpoint(formatPath(path)) ? hideCredentials(text) : text}`;
}
