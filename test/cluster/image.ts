import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Daemon } from "../lab/cluster/daemon.ts";
import { bareContainerdToml } from "../lab/cluster/node-settings.ts";
import { run } from "../lab/run.ts";
import type { Check } from "./report.ts";

export interface ImageOptions {
  /** Directory with containerd, its shim and ctr. */
  readonly bin: string;
  /** As `npm run image -- --output` writes it. */
  readonly archive: string;
  /** The name in the archive. */
  readonly image: string;
}

/** A container that runs the image: what it said, and how it ended. */
interface Running {
  readonly id: string;
  readonly child: ChildProcess;
  readonly said: () => string;
  readonly code: Promise<number | null>;
}

/** Names of the instances of ours that the image's containers made. */
type Instances = () => Promise<readonly string[]>;

/** The trace that every kernel has, without end. */
const TRACE = ["--probe=tracepoint"];
const PATIENCE_MS = 20_000;

/** Runs the image in a containerd of its own: its start, its rights, its signals as PID 1, and what it leaves. */
export async function checkImage(options: ImageOptions): Promise<readonly Check[]> {
  await using undo = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), "tcpretrans-image-"));
  undo.defer(() => rm(dir, { recursive: true, force: true }));
  const tracefs = join(dir, "tracefs");
  await mkdir(tracefs);
  await run("mount", ["-t", "tracefs", "tcpretrans-test", tracefs]);
  undo.defer(async () => void (await run("umount", [tracefs])));
  const containerd = await startContainerd(options.bin, dir);
  undo.defer(() => containerd.stop());
  const socket = join(dir, "containerd.sock");
  const runner = new ImageRunner(options, { socket, entrypoint: await readEntrypoint(options.archive) });
  undo.defer(() => runner.clear());
  const list = async () => {
    const names = await readdir(join(tracefs, "instances"));
    return names.filter((name) => name.startsWith("tcpretrans-"));
  };
  const others = await list();
  const own: Instances = async () => (await list()).filter((name) => !others.includes(name));
  const checks: Check[] = [];
  const check = async (subject: string, step: () => Promise<string | undefined>) => {
    const problem = await step().catch((error: Error) => error.message);
    checks.push({ subject, column: "image", problem });
  };
  await runner.ctr(["images", "import", options.archive]);
  await check("the image tells its version", () => tellsVersion(runner));
  await check("a container of it is uid 0 with a read-only root, its own tcpretrans and no shell", () =>
    hasRights(runner),
  );
  for (const signal of ["SIGTERM", "SIGINT"])
    await check(`${signal} ends it as PID 1, and nothing is left`, () => endsBy(runner, signal, own));
  await check("what SIGKILL leaves goes with the next start", () => cleansUp(runner, own));
  return checks;
}

async function startContainerd(bin: string, dir: string): Promise<Daemon> {
  const config = join(dir, "containerd.toml");
  await mkdir(join(dir, "state"));
  const socket = join(dir, "containerd.sock");
  const own = { root: join(dir, "root"), state: join(dir, "state"), socket };
  await writeFile(config, bareContainerdToml(own));
  const env = { ...process.env, PATH: `${bin}:${process.env["PATH"]}` };
  const log = join(dir, "containerd.log");
  const daemon = Daemon.start("containerd", [join(bin, "containerd"), "--config", config], {
    logFile: log,
    env,
  });
  const ctr = ["--address", socket, "version"];
  for (const last = performance.now() + PATIENCE_MS; ; await sleep(100)) {
    const up = await run(join(bin, "ctr"), ctr).then(
      () => true,
      () => false,
    );
    if (up) return daemon;
    if (daemon.running && performance.now() < last) continue;
    throw new Error(`Cannot start containerd: ${await daemon.lastWords()}`);
  }
}

/** What the image starts, as its own configuration says. */
async function readEntrypoint(archive: string): Promise<readonly string[]> {
  const read = async (file: string) => JSON.parse(await run("tar", ["-xOf", archive, file]));
  const [{ Config: file }] = await read("manifest.json");
  return (await read(file)).config.Entrypoint;
}

class ImageRunner {
  readonly #options: ImageOptions;
  readonly #ctr: readonly string[];
  readonly #entrypoint: readonly string[];
  readonly #ids: string[] = [];

  constructor(
    options: ImageOptions,
    { socket, entrypoint }: { readonly socket: string; readonly entrypoint: readonly string[] },
  ) {
    this.#options = options;
    this.#entrypoint = entrypoint;
    this.#ctr = ["--address", socket, "--namespace", "tcpretrans-test"];
  }

  ctr(args: readonly string[]): Promise<string> {
    return run(join(this.#options.bin, "ctr"), [...this.#ctr, ...args]);
  }

  /** Starts the image with arguments, privileged as the chart's pod. */
  start(args: readonly string[]): Running {
    const id = `image-${this.#ids.length}`;
    this.#ids.push(id);
    const place = ["--rm", "--read-only", "--privileged", this.#options.image, id];
    // ctr takes arguments for the whole command, and not as Kubernetes does for what follows the entry point.
    const command = ["run", ...place, ...this.#entrypoint, ...args];
    const child = spawn(join(this.#options.bin, "ctr"), [...this.#ctr, ...command], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    const { promise, resolve } = Promise.withResolvers<number | null>();
    child.on("close", resolve);
    return { id, child, said: () => said, code: promise };
  }

  /** Runs a program in a running container. */
  exec({ id }: Running, command: readonly string[]): Promise<string> {
    return this.ctr(["task", "exec", "--exec-id", `exec-${performance.now()}`, id, ...command]);
  }

  /** Ends what still runs. */
  async clear(): Promise<void> {
    for (const id of this.#ids) await this.ctr(["task", "rm", "--force", id]).catch(() => "");
    for (const id of this.#ids) await this.ctr(["container", "rm", id]).catch(() => "");
  }
}

async function tellsVersion(runner: ImageRunner): Promise<string | undefined> {
  const { said, code } = runner.start(["--version"]);
  const ended = await code;
  return ended === 0 && /^tcpretrans \d/m.test(said()) ? undefined : `exit code ${ended}: ${said()}`;
}

async function hasRights(runner: ImageRunner): Promise<string | undefined> {
  const running = await traces(runner);
  const node = (text: string) => runner.exec(running, ["/usr/bin/node", "--print", text]);
  const uid = (await node("process.getuid()")).trim();
  const attempt = 'try { require("fs").writeFileSync("/x", ""); "written" } catch (error) { error.code }';
  const written = (await node(attempt)).trim();
  const told = await runner.exec(running, ["tcpretrans", "--version"]);
  const shell = await runner.exec(running, ["/bin/sh", "-c", "true"]).then(
    () => "a shell",
    () => "none",
  );
  await runner.ctr(["task", "kill", "--signal", "SIGTERM", running.id]);
  await running.code;
  const found = `${uid} ${written} ${shell}`;
  if (!/^tcpretrans \d/m.test(told)) return `its tcpretrans says ${told}`;
  return found === "0 EROFS none" ? undefined : `it is ${found}`;
}

async function endsBy(
  runner: ImageRunner,
  signal: string,
  instances: Instances,
): Promise<string | undefined> {
  const running = await traces(runner);
  const during = await instances();
  await runner.ctr(["task", "kill", "--signal", signal, running.id]);
  const code = await Promise.race([running.code, sleep(PATIENCE_MS, "it goes on", { ref: false })]);
  const left = await instances();
  if (during.length !== 1) return `it had ${during.length} instances while it ran`;
  if (code !== 0) return `exit code ${code}: ${running.said()}`;
  return left.length === 0 ? undefined : `${left.join(", ")} is left`;
}

async function cleansUp(runner: ImageRunner, instances: Instances): Promise<string | undefined> {
  const running = await traces(runner);
  await runner.ctr(["task", "kill", "--signal", "SIGKILL", running.id]);
  await running.code;
  const killed = await instances();
  if (killed.length !== 1) return `SIGKILL left ${killed.length} instances: the case is not made`;
  const cleaner = runner.start([...TRACE, "--duration", "1"]);
  const code = await cleaner.code;
  const left = await instances();
  if (code !== 0) return `the next start: exit code ${code}: ${cleaner.said()}`;
  return left.length === 0 ? undefined : `${left.join(", ")} is left`;
}

/** Starts a trace and waits until it is at work. */
async function traces(runner: ImageRunner): Promise<Running> {
  const running = runner.start(TRACE);
  for (const last = performance.now() + PATIENCE_MS; !/LADDR:LPORT/.test(running.said()); await sleep(50)) {
    if (running.child.exitCode !== null || performance.now() > last)
      throw new Error(`Cannot trace in the image: ${running.said()}`);
  }
  return running;
}
