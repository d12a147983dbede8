import * as v from "valibot";
import { CONFIG_SCHEMA } from "./schema.ts";

/** How a setting's text is read; `choice` may be a word, true or false; `pairs` are names with texts. */
export type LeafKind = "text" | "number" | "switch" | "choice" | "list" | "named" | "pairs";

/** What the schema says of one setting. */
export interface Leaf {
  readonly kind: LeafKind;
  /** Takes the setting's value; undefined stands for its default. */
  readonly schema: v.GenericSchema;
  readonly description: string;
  /** Undefined where it has none or follows from others. */
  readonly fallback: unknown;
  /** The words that it may be. */
  readonly choices: readonly string[];
}

const KINDS: Readonly<Record<string, LeafKind>> = {
  string: "text",
  picklist: "text",
  number: "number",
  boolean: "switch",
  union: "choice",
  record: "pairs",
};

/** Looks a setting up in the schema by its path, such as `kubernetes.scope`; throws where there is none. */
export function describeLeaf(path: string): Leaf {
  const schema = schemaAt(path.split("."));
  if (schema === undefined) throw new RangeError(`Cannot find setting "${path}": it is not in the schema`);
  const inner = unwrap(schema);
  return {
    kind: KINDS[inner.type] ?? (itemOf(inner)?.type === "strict_object" ? "named" : "list"),
    schema,
    description: v.getDescription(inner) ?? "",
    fallback: v.getDefault(schema),
    choices: choicesOf(inner),
  };
}

/** The schema at a path; numbers stand for the entries of a list. */
export function schemaAt(path: readonly string[]): v.GenericSchema | undefined {
  let schema: v.GenericSchema | undefined = CONFIG_SCHEMA;
  for (const key of path) {
    const inner = unwrap(schema);
    const entries = entriesOf(inner);
    schema = entries === undefined ? itemOf(inner) : Object.hasOwn(entries, key) ? entries[key] : undefined;
    if (schema === undefined) return undefined;
  }
  return schema;
}

/** The keys that may stand in a section with what each may hold; undefined for what is no section. */
export function entriesOf(schema: v.GenericSchema): Readonly<Record<string, v.GenericSchema>> | undefined {
  const inner = unwrap(schema);
  return "entries" in inner ? (inner.entries as Readonly<Record<string, v.GenericSchema>>) : undefined;
}

/** What stands in a list. */
export function itemOf(schema: v.GenericSchema): v.GenericSchema | undefined {
  return "item" in schema ? (schema.item as v.GenericSchema) : undefined;
}

/** Without what only says that it may be left out. */
export function unwrap(schema: v.GenericSchema): v.GenericSchema {
  return "wrapped" in schema ? unwrap(schema.wrapped as v.GenericSchema) : schema;
}

function choicesOf(schema: v.GenericSchema): readonly string[] {
  if ("options" in schema && schema.type === "picklist")
    return (schema.options as readonly unknown[]).map(String);
  return schema.type === "union" ? ["auto", "true", "false"] : [];
}
