/** Writes man/tcpretrans.8 from what `-h` prints. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatManPage } from "./man-page.ts";

const MAN = join(import.meta.dirname, "../man");

mkdirSync(MAN, { recursive: true });
writeFileSync(join(MAN, "tcpretrans.8"), formatManPage());
