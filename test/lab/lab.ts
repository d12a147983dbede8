import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { installPrograms, openSuite, packageNames, unpackPackages } from "./debian.ts";
import { buildInitramfs } from "./initramfs.ts";
import { run } from "./run.ts";

/** A kernel series of Debian and where its newest cloud build is found. */
interface KernelSource {
  readonly name: string;
  readonly suite: string;
  /** Since 7.x Debian splits the image from its modules. */
  readonly packages: readonly RegExp[];
}

/** Oldest first. "7.x" is whatever sid has. */
export const KERNELS: readonly KernelSource[] = [
  { name: "5.10", suite: "bullseye", packages: [/^linux-image-5\.10\.0-\d+-cloud-amd64$/] },
  { name: "6.1", suite: "bookworm", packages: [/^linux-image-6\.1\.0-\d+-cloud-amd64$/] },
  { name: "6.12", suite: "trixie", packages: [/^linux-image-6\.12\.\d+\+deb13-cloud-amd64$/] },
  {
    name: "7.x",
    suite: "sid",
    packages: [
      /^linux-binary-7\.\d+\.\d+\+deb\d+-cloud-amd64$/,
      /^linux-modules-7\.\d+\.\d+\+deb\d+-cloud-amd64$/,
    ],
  },
];

/** Changes when what `prepareLab` makes changes, so that an old cache is not taken for a new one. */
const LAYOUT = "1";

/** QEMU 7.2 (bookworm's) corrupts guests under load; 10.0 does not. */
const QEMU = { suite: "trixie", packages: ["qemu-system-x86", "virtiofsd"] };

/** Programs that this machine needs, and that the guest finds on its root: this machine's. */
const PROGRAMS = {
  busybox: "busybox-static",
  cpio: "cpio",
  depmod: "kmod",
  xz: "xz-utils",
  zstd: "zstd",
  ip: "iproute2",
  nft: "nftables",
  ethtool: "ethtool",
  iperf3: "iperf3",
};

/** A kernel ready to boot. */
export interface LabKernel {
  readonly name: string;
  /** As `uname -r` says. */
  readonly release: string;
  readonly image: string;
  readonly initramfs: string;
}

/** All that a boot needs, on disk. */
export interface Lab {
  /** Root of an unpacked Debian that holds QEMU and virtiofsd. */
  readonly qemuRoot: string;
  readonly kernels: readonly LabKernel[];
}

/** Makes what is missing of the lab under `dir`; needs root and Debian's archive the first time, nothing after. */
export async function prepareLab(
  dir: string,
  { names, say }: { readonly names: readonly string[]; readonly say: (line: string) => void },
): Promise<Lab> {
  await mkdir(dir, { recursive: true });
  await installPrograms(PROGRAMS);
  const wanted = KERNELS.filter(({ name }) => names.includes(name));
  const qemuRoot = makeOnce(join(dir, `qemu-${QEMU.suite}-${LAYOUT}`), say, async (root) => {
    const suite = await openSuite(QEMU.suite, join(dir, "apt-qemu"));
    await unpackPackages(suite, QEMU.packages, { root, dependencies: true });
  });
  const kernels = Promise.all(
    wanted.map(async (source) => {
      const root = join(dir, `kernel-${source.name}-${source.suite}-${LAYOUT}`);
      return findKernel(source.name, await makeOnce(root, say, (root) => unpackKernel(source, dir, root)));
    }),
  );
  return { qemuRoot: await qemuRoot, kernels: await kernels };
}

/** A directory appears under its name only when it is whole, so an interrupted run begins that one again. */
async function makeOnce(
  path: string,
  say: (line: string) => void,
  make: (root: string) => Promise<void>,
): Promise<string> {
  if (existsSync(path)) return path;
  const started = Date.now();
  const unfinished = `${path}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await make(unfinished);
  await rename(unfinished, path);
  say(`made ${path} in ${Math.round((Date.now() - started) / 1000)} s`);
  return path;
}

async function unpackKernel(source: KernelSource, dir: string, root: string): Promise<void> {
  const suite = await openSuite(source.suite, dir);
  const names: string[] = [];
  for (const pattern of source.packages) {
    const newest = (await packageNames(suite, pattern)).at(-1);
    if (newest === undefined) throw new Error(`Cannot find a package: ${pattern} in Debian ${source.suite}`);
    names.push(newest);
  }
  const archives = await unpackPackages(suite, names, { root, dependencies: false });
  if (!existsSync(join(root, "lib"))) await symlink("usr/lib", join(root, "lib"));
  await writeFile(join(root, "packages"), `${archives.join("\n")}\n`);
  await run("depmod", ["-b", root, await onlyEntry(join(root, "lib/modules"))]);
}

async function findKernel(name: string, root: string): Promise<LabKernel> {
  const release = await onlyEntry(join(root, "lib/modules"));
  const images = [join(root, "boot", `vmlinuz-${release}`), join(root, "lib/modules", release, "vmlinuz")];
  const image = images.find((path) => existsSync(path));
  if (image === undefined) throw new Error(`Cannot find a kernel image: neither ${images.join(" nor ")}`);
  return { name, release, image, initramfs: await buildInitramfs(root, release) };
}

async function onlyEntry(path: string): Promise<string> {
  const [entry, ...others] = await readdir(path);
  if (entry === undefined || others.length > 0) throw new Error(`Cannot choose: ${path} has not one entry`);
  return entry;
}
