import { copyFile, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { run } from "./run.ts";

/** What it takes to mount the shared root; everything else the guest loads from there with modprobe. */
const BOOT_MODULES = ["virtio_pci", "virtiofs", "overlay"];

/**
 * The guest's first program. The host's root comes read-only under an overlay in memory, so nothing that the guest
 * writes reaches the host but what it puts into /run/lab, the output directory, which also holds the command to run.
 */
const INIT = `#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
case "$(cat /proc/cmdline)" in *lab.hello*) echo LAB HELLO; echo o > /proc/sysrq-trigger; sleep 5;; esac
for module in /modules/*.ko; do insmod $module; done
mount -t virtiofs -o ro root /lower
mount -t tmpfs -o size=75% upper /upper; mkdir /upper/files /upper/work
mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work overlay /root
cd /root; mkdir -p lib/modules
ln -sfn "$(cat /modules/source)" lib/modules/
mount -t proc proc proc; mount -t sysfs sys sys; mount -t devtmpfs dev dev
mkdir -p dev/pts dev/shm; mount -t devpts pts dev/pts; mount -t tmpfs shm dev/shm
mount -t tmpfs -o mode=755 run run
mount -t securityfs security sys/kernel/security; mount -t cgroup2 cgroup sys/fs/cgroup
mkdir run/lab; mount -t virtiofs out run/lab || echo "LAB no output directory"
ip link set lo up
cat > run/first <<'FIRST'
sh /run/lab/command; echo $? > /run/lab/exit-code
sync; echo o > /proc/sysrq-trigger; sleep 10
FIRST
umount /sys /dev /proc
exec env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin switch_root /root /bin/sh /run/first
`;

/** Builds `initramfs.gz` beside the unpacked kernel `release`, and gives its path. */
export async function buildInitramfs(kernelRoot: string, release: string): Promise<string> {
  const target = join(kernelRoot, "initramfs.gz");
  const tree = await mkdtemp(join(kernelRoot, "initramfs-"));
  for (const dir of ["bin", "proc", "sys", "dev", "lower", "upper", "root", "modules"])
    await mkdir(join(tree, dir));
  await copyModules(kernelRoot, release, join(tree, "modules"));
  await writeFile(join(tree, "modules/source"), join(kernelRoot, "lib/modules", release));
  await writeFile(join(tree, "init"), INIT, { mode: 0o755 });
  await copyFile((await run("sh", ["-c", "command -v busybox"])).trim(), join(tree, "bin/busybox"));
  await run("sh", ["-c", `find . | cpio --quiet -o -H newc | gzip -1 > "${tree}.gz"`], { cwd: tree });
  await rename(`${tree}.gz`, target);
  await rm(tree, { recursive: true });
  return target;
}

/** Copies the boot modules with what they depend on, uncompressed, named in loading order. */
async function copyModules(kernelRoot: string, release: string, target: string): Promise<void> {
  const copied = new Set<string>();
  for (const module of BOOT_MODULES) {
    // A module that is not there is built in (7.x has two of them so): if not, the guest's mount says so.
    const lines = await run("modprobe", ["-d", kernelRoot, "-S", release, "--show-depends", module]).catch(
      () => "",
    );
    for (const line of lines.split("\n")) {
      const file = /^insmod (\S+)/.exec(line)?.[1];
      if (file === undefined || copied.has(file)) continue;
      const name = `${100 + copied.size}-${basename(file).replace(/\.ko.*/, ".ko")}`;
      copied.add(file);
      const reader = file.endsWith(".xz") ? "xz -dc" : file.endsWith(".zst") ? "zstd -qdc" : "cat";
      await run("sh", ["-c", `${reader} "$1" > "$2"`, "sh", file, join(target, name)]);
    }
  }
}
