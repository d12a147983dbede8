import type { Config } from "../config/config.ts";
import { resolveConfig } from "../config/resolve-config.ts";
import { HOST_SETTINGS, NAMING_SETTINGS } from "../config/settings.ts";
import type { AgentCommand } from "./agent-options.ts";
import type { Collected, RawOptions, Word } from "./command-line.ts";
import type { Filters } from "./filters.ts";
import type { ProbeChoice } from "./option-values.ts";
import { parseArguments } from "./parse-arguments.ts";
import { readConfigText } from "./read-config-text.ts";
import { UsageError } from "./usage-error.ts";

/** Colours always, never, or on a terminal. */
export type ColorChoice = "auto" | "always" | "never";

/** What is captured, and until when. */
export interface CaptureOptions {
  readonly probe: ProbeChoice;
  readonly stacks: boolean;
  /** Ring buffer of each CPU in KiB. */
  readonly bufferSizeKb: number;
  /** Seconds after which capture ends by itself. */
  readonly duration: number | undefined;
}

/** What is shown of the events. */
export interface ViewOptions {
  readonly json: boolean;
  readonly wide: boolean;
  readonly lossProbes: boolean;
  readonly stacks: boolean;
  /** Seconds between summaries, 0 for one at the end; undefined for events instead. */
  readonly summary: number | undefined;
  /** Events printed after which it ends by itself. */
  readonly count: number | undefined;
  readonly color: ColorChoice;
  readonly filters: Filters;
}

/** What the command line asks for. */
export type Command =
  | {
      readonly kind: "trace";
      readonly capture: CaptureOptions;
      readonly view: ViewOptions;
      readonly verify: boolean;
      readonly demo: boolean;
      /** How both ends get their names; undefined where names are not asked for. */
      readonly naming: Config | undefined;
      /** Seconds between two prints of the counters. */
      readonly interval: number;
    }
  | { readonly kind: "record"; readonly file: string; readonly capture: CaptureOptions }
  | { readonly kind: "replay"; readonly file: string; readonly view: ViewOptions }
  | { readonly kind: "doctor"; readonly json: boolean }
  | AgentCommand
  | { readonly kind: "demo-traffic"; readonly role: string; readonly args: readonly string[] }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "version" };

/** Reads the arguments after the program's name; throws UsageError with everything that is wrong with them. */
export async function parseCommand(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<Command> {
  const [first, ...rest] = argv;
  if (first !== "agent") return parseOptions(argv, env);
  // Only the agent has a file: no other command reads and parses what reads YAML.
  const { parseAgent } = await import("./agent-options.ts");
  return parseAgent(rest, { env, readText: readConfigText });
}

/** The arguments of every command but the agent. */
export function parseOptions(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): Exclude<Command, AgentCommand> {
  const [first, ...rest] = argv;
  switch (first) {
    case "demo-traffic":
      return { kind: "demo-traffic", role: rest[0] ?? "", args: rest.slice(1) };
    case "record":
    case "replay":
    case "doctor":
      return parseWith(first, rest, env);
    default:
      return parseWith("trace", argv, env);
  }
}

/** Whether to colour what goes to an output. */
export function usesColor(choice: ColorChoice, isTerminal: boolean): boolean {
  return choice === "auto" ? isTerminal : choice === "always";
}

function parseWith(
  word: Exclude<Word, "agent">,
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): Exclude<Command, AgentCommand> {
  const problems: string[] = [];
  const flags: Collected["flags"] = new Map();
  const parsed = parseArguments(word, argv, { problems, flags });
  if (parsed.kind === "help") return parsed;
  const { raw, args } = parsed;
  if (problems.length === 0 && raw.version === true) return { kind: "version" };
  problems.push(...contradictions(raw));
  const naming = word === "trace" ? readNaming(raw, { flags, env, problems }) : undefined;
  if (problems.length > 0) throw new UsageError(problems);
  const file = args[0] ?? "";
  switch (word) {
    case "trace": {
      const { verify = false, demo = false, interval } = raw;
      return {
        kind: "trace",
        capture: capture(raw),
        view: view(raw, env),
        verify,
        demo,
        naming,
        interval,
      };
    }
    case "record":
      return { kind: "record", file, capture: capture(raw) };
    case "replay":
      return { kind: "replay", file, view: view(raw, env) };
    case "doctor":
      return { kind: "doctor", json: raw.json === true };
  }
}

function capture({ probe, stack = false, bufferSize, duration }: RawOptions): CaptureOptions {
  return { probe, stacks: stack, bufferSizeKb: bufferSize, duration };
}

function view(raw: RawOptions, env: NodeJS.ProcessEnv): ViewOptions {
  const { summary, local = [], remote = [], port = [], state = [], type = [], netns = [] } = raw;
  return {
    json: raw.json === true,
    wide: raw.wide === true,
    lossProbes: raw.lossProbes === true,
    stacks: raw.stack === true,
    summary: summary === true ? 0 : summary,
    count: raw.count,
    color: color(raw, env),
    filters: { local, remote, port, state, type, netns },
  };
}

/** The option wins over the environment. https://no-color.org: set and not empty. */
function color(raw: RawOptions, env: NodeJS.ProcessEnv): ColorChoice {
  if (raw.color !== undefined) return raw.color ? "always" : "never";
  return env["NO_COLOR"] || env["TERM"] === "dumb" ? "never" : "auto";
}

/** The configuration of names where they are asked for; its problems are added to the others. */
function readNaming(
  { kubernetes = false }: RawOptions,
  { flags, env, problems }: Collected & { readonly env: NodeJS.ProcessEnv },
): Config | undefined {
  if (!kubernetes) {
    const idle = [...flags.keys()];
    if (idle.length > 0) problems.push(`Cannot use ${idle.join(", ")} without --kubernetes: add it`);
    return undefined;
  }
  const { config, problems: more } = resolveConfig(flags, env, {
    only: [...NAMING_SETTINGS, ...HOST_SETTINGS],
  });
  problems.push(...more);
  return config;
}

/** Options that make no sense together. */
function contradictions(raw: RawOptions): readonly string[] {
  if (raw.probe === "counters") return countersContradictions(raw);
  if (raw.summary === undefined || raw.count === undefined) return [];
  return ["Cannot use --count with --summary: it counts lines of events; leave one of them out"];
}

/** Counters have no events, for which these options are. */
function countersContradictions(raw: RawOptions): readonly string[] {
  const idle = [
    raw.lossProbes === true && "-l",
    raw.stack === true && "-s",
    raw.wide === true && "--wide",
    raw.summary !== undefined && "--summary",
    raw.count !== undefined && "--count",
    raw.verify === true && "--verify",
    raw.kubernetes === true && "--kubernetes",
    ...(["local", "remote", "port", "state", "type"] as const).map(
      (name) => (raw[name] ?? []).length > 0 && `--${name}`,
    ),
  ].filter((option) => option !== false);
  if (idle.length === 0) return [];
  return [
    `Cannot use ${idle.join(", ")} with --probe=counters: counters have no events; leave one of them out`,
  ];
}
