/** An object of parsed JSON; its members are to be looked at before they are believed. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The value itself where it is an object and no list. */
export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}

/** A member that is an object; an empty one where it is not. */
export function objectOf(object: JsonObject, key: string): JsonObject {
  return asObject(member(object, key)) ?? {};
}

/** A member that is text and not empty. */
export function textOf(object: JsonObject, key: string): string | undefined {
  const value = member(object, key);
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A member that is a whole number from 0 on. */
export function countOf(object: JsonObject, key: string): number | undefined {
  const value = member(object, key);
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined;
}

/** A member that is a TCP port. */
export function portOf(object: JsonObject, key: string): number | undefined {
  const port = countOf(object, key);
  return port !== undefined && port > 0 && port < 65_536 ? port : undefined;
}

/** Whether a member is true. */
export function flagOf(object: JsonObject, key: string): boolean {
  return member(object, key) === true;
}

/** The objects of a member that is a list; nothing where it is not. */
export function objectsOf(object: JsonObject, key: string): readonly JsonObject[] {
  return listOf(object, key)
    .map(asObject)
    .filter((item) => item !== undefined);
}

/** The texts of a member that is a list; nothing where it is not. */
export function textsOf(object: JsonObject, key: string): readonly string[] {
  return listOf(object, key).filter((item) => typeof item === "string");
}

/** A member that is a time of the API (RFC 3339, whole seconds), in Unix seconds. */
export function secondsOf(object: JsonObject, key: string): number | undefined {
  const text = textOf(object, key);
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isFinite(ms) ? Math.floor(ms / 1000) : undefined;
}

function listOf(object: JsonObject, key: string): readonly unknown[] {
  const value = member(object, key);
  return Array.isArray(value) ? value : [];
}

/** Own members only: a key such as `constructor` is not one. */
function member(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
