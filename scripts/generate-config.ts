/** Writes what is made from the configuration's schema: the JSON Schema, and the tables of docs/configuration.md. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeMarkedPart } from "../test/bench/marked-part.ts";
import { formatJsonSchema } from "./config-json-schema.ts";
import { settingsTables } from "./config-tables.ts";

const ROOT = join(import.meta.dirname, "..");

mkdirSync(join(ROOT, "schema"), { recursive: true });
writeFileSync(join(ROOT, "schema/config.schema.json"), formatJsonSchema());
writeMarkedPart(join(ROOT, "docs/configuration.md"), "npm run generate:config", settingsTables());
