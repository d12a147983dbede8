import type { Config } from "../config/config.ts";
import { type ConfigFile, parseConfigFile } from "../config/config-file.ts";
import { formatConfig, summarizeConfig } from "../config/format-config.ts";
import { resolveConfig } from "../config/resolve-config.ts";
import type { Collected } from "./command-line.ts";
import { parseArguments } from "./parse-arguments.ts";
import { UsageError } from "./usage-error.ts";

/** What `tcpretrans agent` is to do, and with what. */
export interface AgentCommand {
  readonly kind: "agent";
  /** `check` and `print` only tell of the configuration. */
  readonly action: "run" | "check" | "print";
  readonly config: Config;
  /** What of the configuration is left out or has no effect. */
  readonly warnings: readonly string[];
  /** One sentence that says what the configuration was made of. */
  readonly summary: string;
  /** The configuration as YAML with where each value is from; without secrets. */
  readonly effective: string;
}

const HELP = "tcpretrans agent -h";

/** Where the configuration comes from beside the flags. */
export interface ConfigSources {
  readonly env: NodeJS.ProcessEnv;
  /** Gives a file's text; throws an Error that says why it cannot. */
  readonly readText: (file: string) => string;
}

/** Joins flags, environment and file; throws UsageError with everything that is wrong in any of them. */
export function parseAgent(
  argv: readonly string[],
  { env, readText }: ConfigSources,
): AgentCommand | { readonly kind: "help"; readonly text: string } {
  const problems: string[] = [];
  const flags: Collected["flags"] = new Map();
  const parsed = parseArguments("agent", argv, { problems, flags });
  if (parsed.kind === "help") return parsed;
  const { raw } = parsed;
  const name = raw.config ?? (env["TCPRETRANS_CONFIG"] || undefined);
  const read = name === undefined ? undefined : readFile(name, readText);
  if (read?.problem !== undefined) problems.push(read.problem);
  const resolved = resolveConfig(flags, env, { file: read?.file });
  problems.push(...resolved.problems);
  if (raw.checkConfig === true && raw.printConfig === true) {
    problems.push("Cannot use --check-config with --print-config: printing checks too; leave one out");
  }
  const { config, warnings } = resolved;
  if (config === undefined || problems.length > 0) throw new UsageError([...problems, ...warnings], HELP);
  const action = raw.checkConfig === true ? "check" : raw.printConfig === true ? "print" : "run";
  const effective = formatConfig(resolved) ?? "";
  return { kind: "agent", action, config, warnings, summary: summarizeConfig(resolved, name), effective };
}

interface ReadFile {
  readonly file?: ConfigFile;
  readonly problem?: string;
}

function readFile(name: string, readText: ConfigSources["readText"]): ReadFile {
  try {
    return { file: parseConfigFile(readText(name), name) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { problem: `Cannot read the configuration ${name}: ${reason}` };
  }
}
