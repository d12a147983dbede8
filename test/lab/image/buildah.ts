import { existsSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../run.ts";

/** Builds images without a daemon and without namespaces of its own; everything is kept under one directory. */
export interface Buildah {
  readonly dir: string;
  /** Options of buildah itself. */
  readonly options: readonly string[];
}

export interface BuildOptions {
  readonly file: string;
  readonly context: string;
  readonly tag: string;
  readonly epochSeconds: number;
  readonly args?: Readonly<Record<string, string>>;
}

/** An image as it would be pulled. */
export interface BuiltImage {
  /** Of its manifest. */
  readonly digest: string;
  readonly compressedBytes: number;
  readonly layers: readonly { readonly digest: string; readonly size: number }[];
}

/** Opens the store in `dir`, which is made. */
export async function openBuildah(dir: string): Promise<Buildah> {
  await mkdir(dir, { recursive: true });
  const options = ["--root", join(dir, "store"), "--runroot", join(dir, "run"), "--storage-driver", "vfs"];
  return { dir, options };
}

/** Builds one image of a Dockerfile; its steps reach npm's registry as this machine does. */
export async function buildImage({ options }: Buildah, build: BuildOptions): Promise<void> {
  const { file, context, tag, epochSeconds, args = {} } = build;
  const time = String(epochSeconds);
  await run("buildah", [
    ...options,
    "bud",
    ...["--isolation", "chroot", "--pull-never", "--layers=false", "--timestamp", time, "--format", "oci"],
    ...["--build-arg", `SOURCE_DATE_EPOCH=${time}`],
    ...Object.entries(args).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    ...(await npmMounts()).flatMap((path) => ["--volume", path]),
    ...["--file", file, "--tag", tag, context],
  ]);
}

/** Writes the image as a directory of blobs, compressed as a registry would have it, and reads its manifest. */
export async function pushImage({ dir, options }: Buildah, tag: string): Promise<BuiltImage> {
  const target = join(dir, "pushed");
  await rm(target, { recursive: true, force: true });
  await run("buildah", [...options, "push", "--format", "oci", tag, `oci:${target}:image`]);
  const index = JSON.parse(await readFile(join(target, "index.json"), "utf8"));
  const digest: string = index.manifests[0].digest;
  const manifest = JSON.parse(
    await readFile(join(target, "blobs/sha256", digest.replace("sha256:", "")), "utf8"),
  );
  const layers: BuiltImage["layers"] = manifest.layers;
  const compressedBytes = [...layers, manifest.config].reduce((sum: number, { size }) => sum + size, 0);
  return { digest, compressedBytes, layers };
}

/** Writes the image as a file for `ctr image import`. */
export async function archiveImage({ options }: Buildah, tag: string, file: string): Promise<void> {
  await rm(file, { force: true });
  await run("buildah", [...options, "push", tag, `docker-archive:${file}:${tag}`]);
}

/** Copies a directory into an image of nothing. */
export async function imageOfDirectory(
  { options }: Buildah,
  directory: string,
  { tag, epochSeconds }: { readonly tag: string; readonly epochSeconds: number },
): Promise<void> {
  const container = (await run("buildah", [...options, "from", "scratch"])).trim();
  try {
    await run("buildah", [...options, "copy", "--quiet", container, directory, "/"]);
    const time = ["--timestamp", String(epochSeconds)];
    await run("buildah", [...options, "commit", "--quiet", ...time, "--format", "oci", container, tag]);
  } finally {
    await run("buildah", [...options, "rm", container]);
  }
}

/** npm's settings on this machine, where npm in the build stage looks for them, and the authorities that they name. */
async function npmMounts(): Promise<readonly string[]> {
  const setting = async (name: string) => (await run("npm", ["config", "get", name])).trim();
  const authorities = await setting("cafile");
  const places: readonly (readonly [string, string])[] = [
    [await setting("userconfig"), "/root/.npmrc"],
    [await setting("globalconfig"), "/usr/local/etc/npmrc"],
    [authorities, authorities],
  ];
  return places
    .filter(([from]) => from.startsWith("/") && existsSync(from))
    .map(([from, to]) => `${from}:${to}:ro`);
}
