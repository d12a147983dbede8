import { build } from "esbuild";
import { grpcInTheBundle, lazyHttp, withoutSideEffects, withoutUndici } from "./bundle-plugins.ts";

/** Bundles an entry point with all that it needs into a directory; what is imported dynamically is a chunk of its own. */
export async function bundle(entryPoints: Readonly<Record<string, string>>, outdir: string): Promise<void> {
  await build({
    entryPoints: { ...entryPoints },
    outdir,
    chunkNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node24",
    legalComments: "none",
    // Node keeps the text of what it has loaded: half of it is blanks and comments. Names stay, for stacks.
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: "warning",
    plugins: [lazyHttp, withoutUndici, withoutSideEffects, grpcInTheBundle],
    // Dependencies in CommonJS call require() for Node's own modules.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
}
