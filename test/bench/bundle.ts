import { join } from "node:path";
import { build, stop } from "esbuild";
import { withoutSideEffects } from "../../scripts/bundle-plugins.ts";

/** Bundles a program of this directory as the product is bundled; gives the file's path. */
export async function bundle(program: string, outdir: string): Promise<string> {
  await build({
    entryPoints: { [program]: join(import.meta.dirname, `${program}.ts`) },
    ...{ outdir, bundle: true, splitting: true, platform: "node", format: "esm", target: "node24" },
    ...{ legalComments: "none", logLevel: "warning", outExtension: { ".js": ".mjs" } },
    plugins: [withoutSideEffects],
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
  // Its process would stay, and be measured with.
  await stop();
  return join(outdir, `${program}.mjs`);
}
