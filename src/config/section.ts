import * as v from "valibot";

const NOT_A_SECTION = "give keys with their values, or leave it out";

/** Keys that belong together, every one of them optional; YAML's empty value stands for none of them. */
export function section<T extends v.ObjectEntries>(entries: T) {
  // The empty section fits every such schema; the types cannot tell for a generic one.
  return v.nullish(v.strictObject(entries, NOT_A_SECTION), {} as never);
}
