import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { build, type Plugin } from "esbuild";

const ROOT = resolve(import.meta.dirname, "..");

/**
 * client-node does not say that its modules have no side effects, so that all of its generated API (19 MB) would be
 * kept for the credentials that are used of it (0.9 MB).
 */
const withoutSideEffects: Plugin = {
  name: "without-side-effects",
  setup({ onResolve, resolve: resolveAgain }) {
    onResolve({ filter: /./ }, async ({ path, pluginData, ...from }) => {
      const isOurs = path.startsWith(CLIENT) || from.importer.includes(CLIENT);
      if (pluginData === RESOLVED || !isOurs) return undefined;
      const found = await resolveAgain(path, { ...from, pluginData: RESOLVED });
      return found.path.includes(CLIENT) ? { ...found, sideEffects: false } : found;
    });
  },
};
const CLIENT = "@kubernetes/client-node";
const RESOLVED = Symbol("resolved");

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
  plugins: [withoutSideEffects],
  // Dependencies in CommonJS call require() for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});
