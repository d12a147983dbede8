import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { lazyHttp, withoutSideEffects, withoutUndici } from "./bundle-plugins.ts";

const ROOT = resolve(import.meta.dirname, "..");

// What only --kubernetes needs is a chunk of its own: a trace without it neither reads nor parses that.
rmSync(join(ROOT, "dist"), { recursive: true, force: true });
await build({
  entryPoints: { tcpretrans: join(ROOT, "src/main.ts") },
  outdir: join(ROOT, "dist"),
  chunkNames: "[name]-[hash]",
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node24",
  legalComments: "none",
  logLevel: "warning",
  plugins: [lazyHttp, withoutUndici, withoutSideEffects],
  // Dependencies in CommonJS call require() for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});
