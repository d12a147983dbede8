import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { run } from "../run.ts";

/** The sandbox's image of a pod. */
export const PAUSE_IMAGE = "registry.k8s.io/pause:3.10";
/** The image of every workload: `/traffic` of test/lab/go/traffic. */
export const TRAFFIC_IMAGE = "tcpretrans.test/traffic:1";

/** An image that is a few files of this machine. */
export interface PackedImage {
  readonly names: readonly string[];
  /** What is started, by its path in the image. */
  readonly entrypoint: string;
  /** Path of each file here by its path in the image. */
  readonly files: Readonly<Record<string, string>>;
}

/**
 * Packs the pods' program as an image with two names: without arguments it waits until it is told to end, as a sandbox's
 * must.
 */
export function packTraffic(program: string, target: string): Promise<void> {
  const names = [PAUSE_IMAGE, TRAFFIC_IMAGE];
  return packImage({ names, entrypoint: "/traffic", files: { "/traffic": program } }, target);
}

/** A program with the libraries that it is linked to, as files of an image. */
export async function programFiles(program: string): Promise<Readonly<Record<string, string>>> {
  const linked = (await run("ldd", [program])).matchAll(/(?:=> )?(\/\S+) \(/g);
  const libraries = [...linked].map(([, path = ""]) => [path, path] as const);
  return { [`/bin/${basename(program)}`]: program, ...Object.fromEntries(libraries) };
}

/** Packs files as an image for `ctr image import`: no registry is asked. */
export async function packImage({ names, entrypoint, files }: PackedImage, target: string): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "tcpretrans-image-"));
  try {
    for (const [path, here] of Object.entries(files)) {
      await mkdir(join(dir, "root", dirname(path)), { recursive: true });
      await copyFile(here, join(dir, "root", path));
    }
    const plain = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
    await run("tar", [...plain, "-C", join(dir, "root"), "-cf", join(dir, "layer.tar"), "."]);
    const layer = sha256(await readFile(join(dir, "layer.tar")));
    const config = JSON.stringify({
      architecture: "amd64",
      os: "linux",
      config: { Entrypoint: [entrypoint] },
      rootfs: { type: "layers", diff_ids: [`sha256:${layer}`] },
      history: [{}],
    });
    const configName = `${sha256(config)}.json`;
    const manifest = [{ Config: configName, RepoTags: names, Layers: ["layer.tar"] }];
    await writeFile(join(dir, configName), config);
    await writeFile(join(dir, "manifest.json"), JSON.stringify(manifest));
    const archive = join(dir, "image.tar");
    await run("tar", [...plain, "-C", dir, "-cf", archive, configName, "layer.tar", "manifest.json"]);
    await copyFile(archive, `${target}.unfinished`);
    await rename(`${target}.unfinished`, target);
  } finally {
    await rm(dir, { recursive: true });
  }
}

function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}
