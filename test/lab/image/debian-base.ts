import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, realpath, rename, rm, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { aptMirror } from "../debian.ts";
import { run } from "../run.ts";

const SUITE = "trixie";
/** Beside what debootstrap itself takes: certificates, strip, and a library of Node's. */
const PACKAGES = ["ca-certificates", "binutils", "libatomic1", "libstdc++6"];
/** What Node is linked with but for libatomic, and what the C library loads by itself. */
const LIBRARIES = [
  "libc.so.6",
  "libm.so.6",
  "libdl.so.2",
  "libpthread.so.0",
  "libstdc++.so.6",
  "libgcc_s.so.1",
];
const LOADED_LATER = ["libresolv.so.2", "libnss_dns.so.2", "libnss_files.so.2"];

/** A small Debian as a directory, made once and kept in `cacheDir`. */
export async function debianRoot(cacheDir: string): Promise<string> {
  const root = join(cacheDir, `debian-${SUITE}`);
  if (existsSync(root)) return root;
  const unfinished = `${root}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(cacheDir, { recursive: true });
  const include = `--include=${PACKAGES.join(",")}`;
  await run("debootstrap", ["--variant=minbase", include, SUITE, unfinished, await aptMirror()]);
  await rename(unfinished, root);
  return root;
}

/** Puts Node and npm into a Debian, so that the Dockerfile's build stage can run in it. */
export async function addNode(root: string, { node, npm }: { node: string; npm: string }): Promise<void> {
  const bin = join(root, "usr/local/bin");
  const modules = join(root, "usr/local/lib/node_modules");
  await mkdir(modules, { recursive: true });
  await cp(await realpath(node), join(bin, "node"));
  await rm(join(modules, "npm"), { recursive: true, force: true });
  await cp(npm, join(modules, "npm"), { recursive: true, dereference: true });
  await rm(join(bin, "npm"), { force: true });
  await symlink("../lib/node_modules/npm/bin/npm-cli.js", join(bin, "npm"));
}

/** Lays out what an image for C++ programs needs and no more: libraries, certificates, names of users. No shell, no program. */
export async function layOutRuntime(debian: string, target: string): Promise<void> {
  await rm(target, { recursive: true, force: true });
  const triplets = (await readdir(join(debian, "usr/lib"))).filter((name) => name.endsWith("-linux-gnu"));
  const triplet = triplets[0];
  if (triplet === undefined) throw new Error(`Cannot use ${debian}: it has no libraries`);
  for (const library of [...LIBRARIES, ...LOADED_LATER]) {
    const from = join(debian, "usr/lib", triplet, library);
    if (LOADED_LATER.includes(library) && !existsSync(from)) continue;
    await copyReal(from, join(target, "usr/lib", triplet, library));
  }
  const [loader, loaderDir] = triplet.startsWith("x86_64")
    ? ["ld-linux-x86-64.so.2", "lib64"]
    : ["ld-linux-aarch64.so.1", "lib"];
  await copyReal(join(debian, "usr", loaderDir, loader), join(target, "usr", loaderDir, loader));
  for (const name of new Set(["lib", loaderDir])) await symlink(`usr/${name}`, join(target, name));
  await copyReal(
    join(debian, "etc/ssl/certs/ca-certificates.crt"),
    join(target, "etc/ssl/certs/ca-certificates.crt"),
  );
  await copyReal(join(debian, "etc/os-release"), join(target, "etc/os-release"));
  await writeFile(join(target, "etc/nsswitch.conf"), "hosts: files dns\n");
  await writeFile(
    join(target, "etc/passwd"),
    "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n",
  );
  await writeFile(join(target, "etc/group"), "root:x:0:\nnonroot:x:65532:\n");
}

/** Copies the file that a name stands for, under that name. */
async function copyReal(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  const bytes = await readFile(from);
  const isProgram = /\.so(\.\d+)*$/.test(basename(to));
  await writeFile(to, bytes, { mode: isProgram ? 0o755 : 0o644 });
}
