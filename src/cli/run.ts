import { hostname } from "node:os";
import { RecordingError } from "../agent/recording-format.ts";
import { KubeconfigError } from "../kube/kubeconfig-error.ts";
import { SetupError } from "../syscall/setup-error.ts";
import type { AgentCommand } from "./agent-options.ts";
import { runCounters } from "./counters.ts";
import { startDemo } from "./demo.ts";
import { runDemoTraffic } from "./demo-traffic.ts";
import { runDoctor } from "./doctor.ts";
import { catchSignals, type EndingSignals } from "./ending-signals.ts";
import { EXIT_CODES, exitCodeOf } from "./exit-codes.ts";
import { compileFilters, selectedNamespaces } from "./filters.ts";
import { requireNode } from "./node-version.ts";
import { type Command, parseCommand, usesColor, type ViewOptions } from "./options.ts";
import { type Output, openOutput, sayLine } from "./output.ts";
import { runRecord } from "./record.ts";
import { runReplay } from "./replay.ts";
import { runTrace, type TraceIo } from "./trace.ts";
import { UsageError } from "./usage-error.ts";
import type { ViewSettings } from "./view.ts";

/** What the process gives the command line. */
export interface Host {
  /** Arguments after the program's name. */
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly stdout: NodeJS.WriteStream;
  /** The file that runs: the demonstration's children run it too. */
  readonly main: string;
  readonly version: string;
}

/** Runs one command to its end and gives the exit code; whatever the machine refuses is said in one sentence. */
export async function run(host: Host): Promise<number> {
  try {
    const command = await parseCommand(host.argv, host.env);
    if (command.kind !== "help" && command.kind !== "version") requireNode(process.versions.node);
    if (command.kind === "demo-traffic") {
      await runDemoTraffic(command.role, command.args);
      return EXIT_CODES.ok.code;
    }
    using signals = catchSignals();
    const output = openOutput(host.stdout);
    const signal = outlivesOutput(command) ? signals.first : AbortSignal.any([signals.first, output.signal]);
    const io: TraceIo = { write: output.write, say: sayLine, signal, hurry: signals.again };
    const code = await runCommand(command, host, io).finally(() => awaitReader(command, output, signals));
    await output.check();
    return code;
  } catch (error) {
    for (const line of explain(error)) sayLine(line);
    return exitCodeOf(error);
  }
}

/** What a command waits for its reader after a signal, in ms. */
const READER_MS = 5000;

/** What is printed is for somebody who may be slow, as a pager is; an agent that ran has waited as long as it may. */
async function awaitReader(command: HostCommand, output: Output, { first, again }: EndingSignals) {
  if (command.kind === "agent" && command.action === "run") return;
  await output.taken(first.aborted ? AbortSignal.any([again, AbortSignal.timeout(READER_MS)]) : first);
}

/** An agent that prints no events has work to do without anyone who reads. */
function outlivesOutput(command: HostCommand): boolean {
  return command.kind === "agent" && command.config.events.output === "none";
}

async function runCommand(command: HostCommand, host: Host, io: TraceIo): Promise<number> {
  const noFfi = withoutFfi(host);
  switch (command.kind) {
    case "help":
      io.write(command.text);
      return EXIT_CODES.ok.code;
    case "version":
      io.write(`tcpretrans ${host.version}\n`);
      return EXIT_CODES.ok.code;
    case "doctor":
      return await runDoctor({ json: command.json, write: io.write, noFfi });
    case "replay":
      await runReplay({ ...viewSettings(command.view, host), file: command.file }, io);
      return EXIT_CODES.ok.code;
    case "record": {
      const { probe: rung, stacks, bufferSizeKb, duration } = command.capture;
      if (rung === "counters") throw new UsageError(["Cannot record counters: give another --probe"]);
      const { file } = command;
      await runRecord({
        rung,
        stacks,
        bufferSizeKb,
        duration,
        file,
        noFfi,
        say: io.say,
        signal: io.signal,
        version: host.version,
      });
      return EXIT_CODES.ok.code;
    }
    case "agent":
      if (command.action === "run") return await runAgentCommand(command, host, io);
      for (const warning of command.warnings) io.say(warning);
      io.write(command.action === "check" ? `${command.summary}\n` : command.effective);
      return EXIT_CODES.ok.code;
    case "trace":
      return command.demo ? await runDemo(command, host, io) : await runTraceCommand(command, host, io);
  }
}

/** The agent with what it is made of: no other command reads and parses that. */
async function runAgentCommand(command: AgentCommand, host: Host, io: TraceIo): Promise<number> {
  const { runAgent } = await import("./agent.ts");
  return await runAgent(command, { ...host, hostname: hostname(), noFfi: withoutFfi(host) }, io);
}

/** Makes traffic that retransmits, traces, and takes the traffic away again. */
async function runDemo(command: TraceCommand, host: Host, io: TraceIo): Promise<number> {
  await using demo = await startDemo({ node: process.execPath, main: host.main, signal: io.signal });
  if (demo === undefined) return EXIT_CODES.ok.code;
  io.say(demo.describe());
  return await runTraceCommand(command, host, io);
}

/** All but the demonstration's own traffic, which ends with its parent. */
type HostCommand = Exclude<Command, { readonly kind: "demo-traffic" }>;
type TraceCommand = Extract<Command, { readonly kind: "trace" }>;

async function runTraceCommand(command: TraceCommand, host: Host, io: TraceIo): Promise<number> {
  const { capture, verify, view, interval, naming } = command;
  const { probe, bufferSizeKb, duration } = capture;
  const noFfi = withoutFfi(host);
  const settings = viewSettings(view, host, naming !== undefined);
  if (probe !== "counters") {
    const byNamespace = view.filters.netns.length > 0;
    const { version } = host;
    return await runTrace(
      { ...settings, probe, bufferSizeKb, duration, verify, noFfi, byNamespace, naming, version },
      io,
    );
  }
  const netns = selectedNamespaces(view.filters);
  await runCounters({ interval, duration, json: settings.json, netns, noFfi }, io);
  return EXIT_CODES.ok.code;
}

function viewSettings(view: ViewOptions, host: Host, names = false): ViewSettings {
  return {
    ...view,
    names,
    color: usesColor(view.color, host.stdout.isTTY),
    filter: compileFilters(view.filters),
  };
}

/** TCPRETRANS_NO_FFI=1 goes without node:ffi, as Node 24 does. */
function withoutFfi({ env }: Host): boolean {
  return Boolean(env["TCPRETRANS_NO_FFI"]);
}

function explain(error: unknown): readonly string[] {
  if (error instanceof UsageError) return [...error.problems, `Try ${error.help}`];
  if (error instanceof RecordingError) return [error.message];
  if (error instanceof SetupError || error instanceof KubeconfigError) return [error.message, error.remedy];
  return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
}
