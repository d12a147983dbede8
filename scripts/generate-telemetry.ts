/** Writes what is made of the program's own descriptions into docs/telemetry.md, and of its own series into docs/scaling.md. */
import { join } from "node:path";
import { writeMarkedPart } from "../test/bench/marked-part.ts";
import { seriesTables } from "./series-tables.ts";
import { telemetryTables } from "./telemetry-tables.ts";

const DOCS = join(import.meta.dirname, "../docs");

for (const [mark, text] of Object.entries(telemetryTables())) {
  writeMarkedPart(join(DOCS, "telemetry.md"), mark, text);
}
writeMarkedPart(join(DOCS, "scaling.md"), "npm run generate:telemetry: series", await seriesTables());
