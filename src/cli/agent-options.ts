import type { Config } from "../config/config.ts";
import { formatConfig, summarizeConfig } from "../config/format-config.ts";
import { resolveConfig } from "../config/resolve-config.ts";
import type { Collected, RawOptions } from "./command-line.ts";
import type { OptionSources } from "./options.ts";
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

/** Joins flags, environment and file; throws UsageError with everything that is wrong in any of them. */
export function readAgent(raw: RawOptions, sources: Collected & OptionSources): AgentCommand {
  const { flags, env, readText } = sources;
  const problems = [...sources.problems];
  const name = raw.config ?? (env["TCPRETRANS_CONFIG"] || undefined);
  const file = name === undefined ? undefined : readFile(name, readText);
  if (file?.problem !== undefined) problems.push(file.problem);
  const resolved = resolveConfig(flags, env, { file });
  problems.push(...resolved.problems);
  const { config, warnings } = resolved;
  const both = raw.checkConfig === true && raw.printConfig === true;
  if (both)
    problems.push("Cannot use --check-config with --print-config: printing checks too; leave one out");
  if (config === undefined || problems.length > 0) throw new UsageError([...problems, ...warnings], HELP);
  const action = raw.checkConfig === true ? "check" : raw.printConfig === true ? "print" : "run";
  const effective = formatConfig(resolved) ?? "";
  return { kind: "agent", action, config, warnings, summary: summarizeConfig(resolved, name), effective };
}

interface ReadFile {
  readonly name: string;
  readonly text: string;
  readonly problem: string | undefined;
}

function readFile(name: string, readText: OptionSources["readText"]): ReadFile {
  try {
    return { name, text: readText(name), problem: undefined };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { name, text: "", problem: `Cannot read the configuration ${name}: ${reason}` };
  }
}
