import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { bundle } from "./bundle.ts";

const ROOT = resolve(import.meta.dirname, "..");

// What only --kubernetes or an exporter needs is a chunk of its own: a trace without it neither reads nor parses that.
rmSync(join(ROOT, "dist"), { recursive: true, force: true });
await bundle({ tcpretrans: join(ROOT, "src/main.ts") }, join(ROOT, "dist"));
