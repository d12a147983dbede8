/**
 * Builds the agent's image from the Dockerfile, without Docker and without a registry, twice, and compares. Ends with one
 * line `N passed, N failed`.
 */
import { cp, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { VERSION } from "../src/cli/version.ts";
import { installPrograms } from "../test/lab/debian.ts";
import {
  archiveImage,
  type BuiltImage,
  buildImage,
  imageOfDirectory,
  openBuildah,
  pushImage,
} from "../test/lab/image/buildah.ts";
import { addNode, debianRoot, layOutRuntime } from "../test/lab/image/debian-base.ts";
import { labDir } from "../test/lab/lab-dir.ts";
import { run } from "../test/lab/run.ts";

const ROOT = resolve(import.meta.dirname, "..");
const MAX_MIB = 70;
const TAG = `tcpretrans.test/tcpretrans:${VERSION}`;
const BUILD_BASE = "localhost/tcpretrans-build-base";
const BASE = "localhost/tcpretrans-base";

const { values } = parseArgs({
  options: {
    once: { type: "boolean", default: false },
    output: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  },
});

const USAGE = `Builds the agent's image: npm run image -- [options]
  --once         build once: nothing is said of reproducibility
  --output FILE  write it for \`ctr image import\`, as ${TAG}
Needs root, buildah and debootstrap (which it installs), and npm's registry.`;

if (values.help) console.log(USAGE);
else process.exitCode = await main();

async function main(): Promise<number> {
  process.chdir(ROOT);
  await installPrograms({ buildah: "buildah", debootstrap: "debootstrap" });
  const dir = join(labDir(process.env), "image");
  const epochSeconds = Number(
    process.env["SOURCE_DATE_EPOCH"] ?? (await gitOutput("log", "-1", "--format=%ct")),
  );
  const changed = (await gitOutput("status", "--porcelain")) === "" ? "" : "-dirty";
  const revision = `${await gitOutput("rev-parse", "HEAD")}${changed}`;
  const buildah = await openBuildah(join(dir, "buildah"));
  const problems: string[] = [];
  try {
    const debian = await debianRoot(dir);
    const buildRoot = join(dir, "build-base");
    await rm(buildRoot, { recursive: true, force: true });
    // Devices cannot be copied, and each step gets its own.
    const filter = (path: string) => dirname(path) !== join(debian, "dev");
    await cp(debian, buildRoot, { recursive: true, verbatimSymlinks: true, filter });
    await addNode(buildRoot, { node: process.execPath, npm: await npmDirectory() });
    await layOutRuntime(debian, join(dir, "base"));
    await imageOfDirectory(buildah, buildRoot, { tag: BUILD_BASE, epochSeconds: 0 });
    await imageOfDirectory(buildah, join(dir, "base"), { tag: BASE, epochSeconds: 0 });
    const args = { BUILD_BASE, BASE, VERSION, REVISION: revision };
    const build = async () => {
      const started = performance.now();
      await buildImage(buildah, { file: "Dockerfile", context: ROOT, tag: TAG, epochSeconds, args });
      const image = await pushImage(buildah, TAG);
      const seconds = ((performance.now() - started) / 1000).toFixed(0);
      console.log(`${TAG}: ${image.digest}, ${mib(image)} MiB compressed, built in ${seconds} s`);
      return image;
    };
    const first = await build();
    if (first.compressedBytes > MAX_MIB * 2 ** 20) problems.push(`It is larger than ${MAX_MIB} MiB`);
    if (!values.once && (await build()).digest !== first.digest)
      problems.push("A second build has another digest");
    if (values.output !== undefined) await archiveImage(buildah, TAG, resolve(values.output));
  } finally {
    await run("buildah", [...buildah.options, "rmi", "--all", "--force"]);
  }
  for (const problem of problems) console.log(problem);
  const checks = values.once ? 1 : 2;
  console.log(`${checks - problems.length} passed, ${problems.length} failed`);
  return problems.length === 0 ? 0 : 1;
}

function mib({ compressedBytes }: BuiltImage): string {
  return (compressedBytes / 2 ** 20).toFixed(1);
}

/** The npm that runs this script, else the one on the path. */
async function npmDirectory(): Promise<string> {
  const program = process.env["npm_execpath"];
  if (program !== undefined) return dirname(dirname(program));
  return join((await run("npm", ["root", "--global"])).trim(), "npm");
}

async function gitOutput(...args: readonly string[]): Promise<string> {
  return (await run("git", args)).trim();
}
