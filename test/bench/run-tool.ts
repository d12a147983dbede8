import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, createReadStream, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { descendants, processCost } from "./process-cost.ts";
import type { Storm } from "./storm.ts";
import type { Tool, ToolPaths } from "./tools.ts";

/** One tool over one blow of the storm. */
export interface Run {
  readonly tool: string;
  /** Retransmits that the kernel counted. */
  readonly kernel: number;
  readonly perSecond: number;
  /** What the tool showed of the retransmits of warm-up and storm; 0 where it shows none one by one. */
  readonly seenPercent: number;
  readonly cpuSeconds: number;
  readonly userSeconds: number;
  readonly peakMib: number;
  /** Its own words about what it lost. */
  readonly words: string;
}

export interface RunOptions {
  readonly storm: Storm;
  readonly seconds: number;
  readonly paths: ToolPaths;
  /** Of the blow before the measured one: start-up, and compilers that compile what runs often, are not what is measured. */
  readonly warmUpSeconds: number;
}

/** CPU in µs for each retransmit that the tool showed; where it shows none, for each that was sent. */
export function usPerEvent({ cpuSeconds, kernel, seenPercent }: Run): number {
  return (cpuSeconds * 1e6) / (kernel * (seenPercent > 0 ? seenPercent / 100 : 1));
}

/** Starts the tool, waits until it is ready, lets the storm blow, waits until it has written all, and ends it. */
export async function runTool(
  tool: Tool,
  { storm, seconds, paths, warmUpSeconds }: RunOptions,
): Promise<Run> {
  const files = { stdout: join(paths.scratch, "stdout"), stderr: join(paths.scratch, "stderr") };
  const [out, err] = [openSync(files.stdout, "w"), openSync(files.stderr, "w")];
  if (tool.tracePipe !== false) record(paths.instance, tool.tracePipe);
  const child = spawn("sh", ["-c", tool.command], { stdio: ["ignore", out, err] });
  const pid = child.pid ?? 0;
  const ended = once(child, "exit");
  try {
    await waitReady(tool, files);
    const warmUp = await storm.blow(warmUpSeconds);
    await waitQuiet(files[tool.lines], pid);
    const before = processCost(pid);
    const { retransmits, seconds: blown } = await storm.blow(seconds);
    await waitQuiet(files[tool.lines], pid);
    const after = processCost(pid);
    // A pipeline ends from its head: what reads from it writes the rest.
    process.kill(descendants(pid)[0] ?? pid, "SIGINT");
    await ended;
    return {
      tool: tool.name,
      kernel: retransmits,
      seenPercent:
        (100 * (await countLines(files[tool.lines], tool.isSent))) / (warmUp.retransmits + retransmits),
      perSecond: retransmits / blown,
      cpuSeconds: after.cpuSeconds - before.cpuSeconds,
      userSeconds: after.userSeconds - before.userSeconds,
      peakMib: after.peakMib,
      words: /^Lost: \d+ [a-z]+/m.exec(readFileSync(files.stderr, "latin1"))?.[0] ?? "",
    };
  } finally {
    child.kill("SIGKILL");
    if (tool.tracePipe !== false) recordNothing(paths.instance);
    closeSync(out);
    closeSync(err);
  }
}

/** With causes: a kernel stack at each retransmit, and what tells fast retransmits from those of slow start. */
function record(instance: string, what: "retransmits" | "with causes"): void {
  const tcp = join(instance, "events/tcp");
  writeFileSync(join(instance, "trace"), ""); // empties the buffers of this instance
  if (what === "with causes") {
    writeFileSync(join(tcp, "tcp_retransmit_skb/trigger"), "stacktrace");
    writeFileSync(join(tcp, "tcp_cong_state_set/filter"), "cong_state >= 3"); // Recovery, Loss
    writeFileSync(join(tcp, "tcp_cong_state_set/enable"), "1");
  }
  writeFileSync(join(tcp, "tcp_retransmit_skb/enable"), "1");
}

function recordNothing(instance: string): void {
  const tcp = join(instance, "events/tcp");
  for (const event of ["tcp_retransmit_skb", "tcp_cong_state_set"]) {
    writeFileSync(join(tcp, event, "enable"), "0");
    writeFileSync(join(tcp, event, "filter"), "0");
  }
  const trigger = join(tcp, "tcp_retransmit_skb/trigger");
  if (readFileSync(trigger, "latin1").includes("stacktrace:")) writeFileSync(trigger, "!stacktrace");
}

async function waitReady({ ready, name, tracePipe }: Tool, files: { stdout: string; stderr: string }) {
  if (ready === undefined) return await setTimeout(tracePipe === false ? 3000 : 300);
  for (let waited = 0; waited < 15_000; waited += 50) {
    await setTimeout(50);
    if (ready.test(readFileSync(files.stderr, "latin1") + readFileSync(files.stdout, "latin1"))) {
      return await setTimeout(500);
    }
  }
  throw new Error(`Cannot measure ${name}: it is not ready after 15 s`);
}

/** Waits until neither the output grows nor the process works: it has caught up. */
async function waitQuiet(file: string, pid: number): Promise<void> {
  let last = "";
  for (let waited = 0; waited < 20_000; waited += 400) {
    await setTimeout(400);
    const now = `${statSync(file).size} ${processCost(pid).cpuSeconds.toFixed(1)}`;
    if (now === last) return;
    last = now;
  }
}

async function countLines(file: string, isSent: (line: string) => boolean): Promise<number> {
  let count = 0;
  for await (const line of createInterface({ input: createReadStream(file, "latin1") }))
    if (isSent(line)) count++;
  return count;
}
