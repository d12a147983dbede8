import { join } from "node:path";
import { bootVm, chooseAccelerator } from "../lab/boot.ts";
import { prepareLab } from "../lab/lab.ts";
import { labDir } from "../lab/lab-dir.ts";

const GUEST = join(import.meta.dirname, "kprobe-guest.ts");
const KERNEL = "6.12";
const TIMEOUT_MS = 600_000;

export interface KprobeRecording {
  readonly file: string;
  readonly release: string;
}

/** Has Debian's kernel record a storm on its highest rung, in a virtual machine, into a directory of this one. */
export async function recordOnKprobes(outDir: string, seconds: number): Promise<KprobeRecording> {
  const lab = await prepareLab(labDir(process.env), { names: [KERNEL], say: console.log });
  const [kernel] = lab.kernels;
  if (kernel === undefined) throw new Error(`Cannot record: there is no kernel ${KERNEL} in the lab`);
  const code = await bootVm(lab, kernel, {
    command: `'${process.execPath}' --disable-warning=ExperimentalWarning '${GUEST}' /run/lab ${seconds}`,
    outDir,
    accelerator: await chooseAccelerator(lab, kernel),
    memoryMb: 1536,
    timeoutMs: TIMEOUT_MS,
    onLine: (line) => console.log(`[${kernel.release}] ${line}`),
  });
  if (code !== 0) throw new Error(`Cannot record: the guest ended with exit code ${code}`);
  return { file: join(outDir, "storm.tcpretrans"), release: kernel.release };
}
