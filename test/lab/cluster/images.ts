import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../run.ts";

/** The sandbox's image of a pod. */
export const PAUSE_IMAGE = "registry.k8s.io/pause:3.10";
/** The image of every workload: `/traffic` of test/lab/go/traffic. */
export const TRAFFIC_IMAGE = "tcpretrans.test/traffic:1";

/**
 * Packs a static program as an image with two names for `ctr image import`: no registry is asked. Without
 * arguments the program waits until it is told to end, as a sandbox's must.
 */
export async function packImages(program: string, target: string): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "tcpretrans-image-"));
  try {
    await mkdir(join(dir, "root"));
    await copyFile(program, join(dir, "root/traffic"));
    const plain = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
    await run("tar", [...plain, "-C", join(dir, "root"), "-cf", join(dir, "layer.tar"), "."]);
    const layer = sha256(await readFile(join(dir, "layer.tar")));
    const config = JSON.stringify({
      architecture: "amd64",
      os: "linux",
      config: { Entrypoint: ["/traffic"] },
      rootfs: { type: "layers", diff_ids: [`sha256:${layer}`] },
      history: [{}],
    });
    const configName = `${sha256(config)}.json`;
    const manifest = [{ Config: configName, RepoTags: [PAUSE_IMAGE, TRAFFIC_IMAGE], Layers: ["layer.tar"] }];
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
