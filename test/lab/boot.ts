import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { Lab, LabKernel } from "./lab.ts";

/** What QEMU runs the guest's instructions with: the processor, or itself (about 15 times slower). */
export type Accelerator = "kvm" | "tcg";

/** What one boot runs and how long it may take. */
export interface Guest {
  /** A line for the guest's shell; paths are this machine's. */
  readonly command: string;
  /** A directory of this machine that the guest has as /run/lab: the only place where its writes stay. */
  readonly outDir: string;
  readonly accelerator: Accelerator;
  readonly memoryMb: number;
  readonly timeoutMs: number;
  /** A tap in a network namespace, which the guest has as eth0. */
  readonly network?: { readonly netns: string; readonly tap: string };
  /** It runs before all else on this machine, as if it had processors of its own. */
  readonly isFirst?: boolean;
  /** Gets each line of the guest's console. */
  readonly onLine: (line: string) => void;
}

const FIRST_NICE = "-10";

/** Boots a kernel, runs the guest's command as root on this machine's (read-only) root, and gives its exit code. */
export async function bootVm(lab: Lab, kernel: LabKernel, guest: Guest): Promise<number> {
  await mkdir(guest.outDir, { recursive: true });
  await rm(join(guest.outDir, "exit-code"), { force: true });
  await writeFile(join(guest.outDir, "command"), `${guest.command}\n`);
  const sockets = mkdtempSync(join(tmpdir(), "tcpretrans-vm-"));
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => rm(sockets, { recursive: true, force: true }));
  const shares = [
    { tag: "root", dir: "/", options: ["--readonly"] },
    { tag: "out", dir: guest.outDir, options: [] },
  ];
  for (const { tag, dir, options } of shares) {
    const socket = join(sockets, tag);
    const args = [
      `--socket-path=${socket}`,
      `--shared-dir=${dir}`,
      "--sandbox=none",
      "--cache=always",
      "--no-announce-submounts",
      ...options,
    ];
    const order = { args: [...args, "--log-level=error"], isFirst: guest.isFirst };
    const daemon = spawnFrom(lab, "usr/libexec/virtiofsd", order);
    daemon.stderr?.on("data", (text) => guest.onLine(`virtiofsd ${tag}: ${String(text).trim()}`));
    cleanup.defer(() => stop(daemon));
    while (!existsSync(socket) && daemon.exitCode === null) await sleep(20);
  }
  const memory = `memory-backend-memfd,id=memory,size=${guest.memoryMb}M,share=on`;
  const devices = shares.flatMap(({ tag }) => [
    "-chardev", `socket,id=${tag},path=${join(sockets, tag)}`,
    "-device", `vhost-user-fs-pci,chardev=${tag},tag=${tag}`,
  ]); // biome-ignore format: pairs
  const machine = [...processor(guest.accelerator), "-smp", "2", "-m", String(guest.memoryMb)];
  const { network } = guest;
  const nic = network && [
    "-netdev", `tap,id=wire,ifname=${network.tap},script=no,downscript=no`,
    "-device", "virtio-net-pci,netdev=wire,romfile=",
  ]; // biome-ignore format: pairs
  const args = ["-object", memory, "-numa", "node,memdev=memory", ...machine, ...devices, ...(nic ?? [])];
  const qemu = startQemu(lab, kernel, { args, netns: network?.netns, isFirst: guest.isFirst });
  cleanup.defer(() => stop(qemu));
  const ended = await watch(qemu, guest);
  const code = await readFile(join(guest.outDir, "exit-code"), "utf8").catch(() => undefined);
  if (code !== undefined) return Number(code);
  throw new Error(`Cannot tell how the guest's command ended: kernel ${kernel.release} ${ended}`);
}

/** Finds out, by booting a kernel as far as its first program, whether this machine can run guests on its processor. */
export async function chooseAccelerator(lab: Lab, kernel: LabKernel): Promise<Accelerator> {
  if (!existsSync("/dev/kvm")) return "tcg";
  const args = [...processor("kvm"), "-m", "512"];
  const qemu = startQemu(lab, kernel, { args, flag: "lab.hello" });
  let hello = false;
  const onLine = (line: string) => {
    hello ||= line.includes("LAB HELLO");
  };
  await watch(qemu, { onLine, timeoutMs: 8_000 });
  return hello ? "kvm" : "tcg";
}

function processor(accelerator: Accelerator): readonly string[] {
  return accelerator === "kvm"
    ? ["-accel", "kvm", "-cpu", "host"]
    : ["-accel", "tcg,thread=multi", "-cpu", "max"];
}

/** How a program of the unpacked Debian is started. */
interface ProgramOrder {
  readonly args: readonly string[];
  readonly netns?: string | undefined;
  readonly isFirst?: boolean | undefined;
}

function startQemu(
  lab: Lab,
  kernel: LabKernel,
  { flag = "", ...order }: ProgramOrder & { readonly flag?: string },
): ChildProcess {
  const common = ["-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot", ...firmware(lab)];
  const boot = ["-kernel", kernel.image, "-initrd", kernel.initramfs];
  const append = `console=ttyS0 quiet panic=-1 apparmor=0 random.trust_cpu=on mitigations=off rcupdate.rcu_expedited=1 ${flag}`;
  const args = [...common, ...boot, "-append", append, ...order.args];
  return spawnFrom(lab, "usr/bin/qemu-system-x86_64", { ...order, args });
}

function firmware(lab: Lab): readonly string[] {
  return ["qemu", "seabios"].flatMap((name) => ["-L", join(lab.qemuRoot, "usr/share", name)]);
}

/** Starts a program of the unpacked Debian with that Debian's own loader and libraries: no chroot, nothing to unmount. */
function spawnFrom(lab: Lab, program: string, { args, netns, isFirst }: ProgramOrder): ChildProcess {
  const libraries = join(lab.qemuRoot, "usr/lib/x86_64-linux-gnu");
  const loader = join(libraries, "ld-linux-x86-64.so.2");
  const env = { ...process.env, QEMU_MODULE_DIR: join(libraries, "qemu") };
  const stdio = ["ignore", "pipe", "pipe"] as const;
  const inside = netns === undefined ? [] : ["ip", "netns", "exec", netns];
  const before = isFirst ? ["nice", "-n", FIRST_NICE, ...inside] : inside;
  const all = [...before, loader, "--library-path", libraries, join(lab.qemuRoot, program), ...args];
  const [first = loader, ...rest] = all;
  // A session of its own where it runs first: the kernel shares time out among sessions (sched_autogroup), each with a nice value.
  const child = spawn(first, rest, { env, stdio: [...stdio], detached: isFirst === true });
  const autogroup = `/proc/${child.pid}/autogroup`;
  if (isFirst && existsSync(autogroup)) writeFileSync(autogroup, FIRST_NICE);
  const end = () => child.kill("SIGKILL");
  process.once("exit", end);
  child.once("close", () => process.off("exit", end));
  return child;
}

/** Follows QEMU to its end and says in words how that came. */
async function watch(
  qemu: ChildProcess,
  { onLine, timeoutMs }: Pick<Guest, "onLine" | "timeoutMs">,
): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(() => {
    qemu.kill("SIGKILL");
    resolve(`was stopped after ${timeoutMs / 1000} s`);
  }, timeoutMs);
  for (const stream of [qemu.stdout, qemu.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on("line", onLine);
  }
  qemu
    .on("error", (error) => resolve(error.message))
    .on("close", (code) => resolve(`ended, QEMU's exit code ${code}`));
  const ended = await promise;
  clearTimeout(timer);
  return ended;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  child.on("close", () => resolve());
  child.kill("SIGKILL");
  await promise;
}
