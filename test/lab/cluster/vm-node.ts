import { mkdir, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { bootVm, chooseAccelerator } from "../boot.ts";
import { prepareLab } from "../lab.ts";
import { GUEST_OUT_DIR, type GuestAnswer, type GuestOrder, type NestedAnswer } from "./guest-protocol.ts";
import { NODE_B, PORTS, WIRE } from "./plan.ts";
import type { ProgramRunner, RunOrder } from "./program-runner.ts";
import { until } from "./until.ts";

const KERNEL = "6.12";
const MEMORY_MB = 4096;
const GUEST = join(import.meta.dirname, "guest.ts");
const BOOT_MS = 300_000;

/** A node in a virtual machine on the wire: a kernel with kprobes and cgroup v2. */
export class VmNode implements ProgramRunner {
  readonly outDir: string;
  readonly #machine: Promise<number>;

  private constructor(outDir: string, machine: Promise<number>) {
    this.outDir = outDir;
    this.#machine = machine;
  }

  /** Boots it; its control answers when this returns, the node comes some seconds later. */
  static async boot(
    order: Omit<GuestOrder, "port">,
    place: {
      readonly labDir: string;
      readonly outDir: string;
      readonly timeoutMs: number;
      readonly say: (line: string) => void;
    },
  ): Promise<VmNode> {
    const { labDir, outDir, timeoutMs, say } = place;
    const lab = await prepareLab(labDir, { names: [KERNEL], say });
    const [kernel] = lab.kernels;
    if (kernel === undefined) throw new Error(`Cannot boot ${KERNEL}: not a kernel of the lab`);
    await rm(outDir, { recursive: true, force: true });
    await mkdir(outDir, { recursive: true });
    const guestOrder: GuestOrder = { ...order, port: PORTS.guest };
    await writeFile(join(outDir, "order.json"), JSON.stringify(guestOrder));
    const said: string[] = [];
    const machine = bootVm(lab, kernel, {
      command: `'${process.execPath}' --disable-warning=ExperimentalWarning '${GUEST}'`,
      outDir,
      accelerator: await chooseAccelerator(lab, kernel),
      memoryMb: MEMORY_MB,
      timeoutMs,
      network: WIRE,
      isFirst: true,
      onLine: (line) => {
        said.push(line);
        if (/^[\d.]+ s: /.test(line)) say(`node-b ${line}`);
      },
    });
    const vm = new VmNode(outDir, machine);
    const died = machine.then(
      (code) => `exit code ${code}`,
      (error: unknown) => String(error),
    );
    await Promise.race([
      until("the virtual machine", () => vm.#answers(), { timeoutMs: BOOT_MS, everyMs: 300 }),
      died.then((how) => {
        throw new Error(`Cannot boot node-b: ${how}\n${said.slice(-30).join("\n")}`);
      }),
    ]);
    // Its clock starts at a whole second; that first answer may have waited. Events of both nodes are compared by time.
    await vm.#answers();
    return vm;
  }

  /** Put before a program's name, these arguments run it as a process of the node. */
  async entry(): Promise<readonly [string, ...string[]]> {
    return (await this.#ask("/node", "")) as readonly [string, ...string[]];
  }

  /** Starts nodes that share its kernel. */
  async startNested(orders: readonly Omit<GuestOrder, "port">[]): Promise<NestedAnswer> {
    return (await this.#ask("/nested", JSON.stringify(orders))) as NestedAnswer;
  }

  exec(args: readonly [string, ...string[]]): Promise<string> {
    return this.#ask("/exec", JSON.stringify(args)) as Promise<string>;
  }

  start(order: RunOrder): Promise<number> {
    return this.#ask("/start", JSON.stringify(order)) as Promise<number>;
  }

  async stop(name: string, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    await this.#ask("/stop", JSON.stringify([name, signal]));
  }

  /** Powers it off. */
  async end(): Promise<void> {
    await this.#ask("/end", "").catch(() => {});
    await this.#machine.catch(() => {});
  }

  async #answers(): Promise<true> {
    await this.#ask("/clock", String(Date.now()));
    return true;
  }

  async #ask(path: string, body: string): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const to = { host: NODE_B.address.v4, port: PORTS.guest, path, method: "POST" };
    request(to, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("error", reject).on("end", () => resolve(text));
    })
      .on("error", reject)
      .end(body);
    const answer: GuestAnswer = JSON.parse(await promise);
    if ("error" in answer) throw new Error(`node-b: ${answer.error}`);
    return answer.value;
  }
}

/** A path of the output directory as the virtual machine has it. */
export function guestPath(name: string): string {
  return join(GUEST_OUT_DIR, name);
}
