import { type JsonSchema, toJsonSchema } from "@valibot/to-json-schema";
import { CONFIG_SCHEMA } from "../src/config/schema.ts";

/** The configuration file's JSON Schema, from the one that the program checks with; helm takes it into its own. */
export function configJsonSchema(): JsonSchema {
  const { type, properties, additionalProperties } = simplify(
    toJsonSchema(CONFIG_SCHEMA, { typeMode: "input", target: "draft-07" }),
  );
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Configuration of tcpretrans agent",
    type,
    properties,
    additionalProperties,
  } as JsonSchema;
}

/** As the file is published. */
export function formatJsonSchema(): string {
  return `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
}

/** What is published says a section that may be empty, and a word or a boolean, without anyOf: its errors are hard to read. */
function simplify(schema: JsonSchema): JsonSchema {
  const { anyOf, ...rest } = schema;
  const [first, second] = (anyOf ?? []) as readonly (JsonSchema | undefined)[];
  if (first?.type === "object" && second?.type === "null") {
    const { description } = rest;
    return { ...simplify(first), type: ["object", "null"] as never, ...(description && { description }) };
  }
  if (first?.const !== undefined && second?.type === "boolean")
    return { enum: [first.const, true, false], ...rest };
  const simple: JsonSchema = { ...schema };
  if (simple.required?.length === 0) delete simple.required;
  if (schema.properties) {
    const entries = Object.entries(schema.properties) as [string, JsonSchema][];
    simple.properties = Object.fromEntries(entries.map(([key, value]) => [key, simplify(value)]));
  }
  return simple;
}
