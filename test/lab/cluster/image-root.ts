import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../run.ts";
import { Daemon } from "./daemon.ts";
import { ctrCommand } from "./node.ts";
import { bareContainerdToml, containerdSocket } from "./node-settings.ts";
import { until } from "./until.ts";

const PREFIX = "images-";

/**
 * Gives a root directory of containerd with the images of archives unpacked, which nodes start with a copy of: emulated, each would
 * take a minute and more to unpack them. Made here once for the same archives, and the last one is kept.
 */
export async function imageRoot(
  labDir: string,
  { bin, archives }: { readonly bin: string; readonly archives: readonly string[] },
): Promise<string> {
  const hashes = await Promise.all(archives.map(hashOf));
  const name = PREFIX + createHash("sha256").update(hashes.join()).digest("hex").slice(0, 12);
  const root = join(labDir, name);
  if (existsSync(root)) return root;
  for (const old of await readdir(labDir))
    if (old.startsWith(PREFIX)) await rm(join(labDir, old), { recursive: true });
  const unfinished = `${root}.unfinished`;
  await unpack(unfinished, { bin, archives });
  await rename(unfinished, root);
  return root;
}

async function unpack(
  root: string,
  { bin, archives }: { readonly bin: string; readonly archives: readonly string[] },
): Promise<void> {
  await using undo = new AsyncDisposableStack();
  // The socket's path may not be long.
  const dir = undo.adopt(await mkdtemp(join(tmpdir(), "tcpretrans-images-")), (path) =>
    rm(path, { recursive: true, force: true }),
  );
  const state = join(dir, "state");
  await mkdir(state);
  const settings = join(dir, "containerd.toml");
  const own = { root, state: join(state, "containerd-run"), socket: containerdSocket({ state }) };
  await writeFile(settings, bareContainerdToml(own));
  const [program, ...before] = ctrCommand(["env"], { bin, dir });
  const ctr = (...args: string[]) => run(program, [...before, ...args]);
  const command = [join(bin, "containerd"), "--config", settings] as const;
  const daemon = Daemon.start("containerd", command, { logFile: join(dir, "containerd.log") });
  undo.defer(() => daemon.stop());
  await until("containerd", async () => {
    if (!daemon.running) throw new Error(await daemon.lastWords());
    return ctr("version");
  });
  for (const archive of archives) await ctr("image", "import", archive);
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const bytes of createReadStream(file)) hash.update(bytes);
  return hash.digest("hex");
}
