import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { commandLine, type Word } from "../../src/cli/command-line.ts";
import { parseArguments } from "../../src/cli/parse-arguments.ts";
import { longFlag, SETTINGS } from "../../src/config/settings.ts";
import { commandsOf, programsOf } from "./commands.ts";
import { type Fence, ROOT } from "./markdown.ts";

const ALL_WORDS = ["trace", "record", "replay", "doctor", "agent"] as const satisfies readonly Word[];
const WORDS: readonly string[] = ALL_WORDS.slice(1);
const FLAGS: ReadonlySet<string> = new Set(
  ALL_WORDS.flatMap((word) =>
    commandLine(word, { problems: [], flags: new Map() }).options.flatMap(({ long }) => long ?? []),
  ),
);
const SCRIPTS: readonly string[] = Object.keys(readJson("package.json").scripts ?? {});
const VALUES: unknown = parse(readFileSync(join(ROOT, "charts/tcpretrans/values.yaml"), "utf8"));

/** What is wrong with the commands of a block, whether or not something runs them: flags, scripts, values, files. */
export function problemsOf(fence: Fence): readonly string[] {
  return commandsOf(fence).flatMap(({ command, line }) =>
    programsOf(command)
      .flatMap(problemsOfProgram)
      .map((problem) => `${line}: ${command}: ${problem}`),
  );
}

/** Whether a command of ours has this flag. */
export function isFlag(long: string): boolean {
  return FLAGS.has(long) || long === "--help";
}

/** Whether package.json has this script. */
export function isScript(name: string): boolean {
  return SCRIPTS.includes(name);
}

/** Whether the chart has a value of this path, such as `image.tag`; `config` is the agent's own. */
export function isChartValue(path: string): boolean {
  if (path.startsWith("config.")) return isSetting(path.slice("config.".length));
  let value = VALUES;
  for (const key of path.replaceAll(/\[\d+\]/g, "").split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return false;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return true;
}

/** Whether there is a setting, or a section of settings, of this path. */
export function isSetting(path: string): boolean {
  return SETTINGS.some((setting) => setting.path === path || setting.path.startsWith(`${path}.`));
}

function problemsOfProgram([program = "", ...words]: readonly string[]): readonly string[] {
  switch (program) {
    case "tcpretrans":
    case "bin/tcpretrans":
      return problemsOfArguments(words);
    case "npm":
      return problemsOfNpm(words);
    case "helm":
      return problemsOfHelm(words);
    case "kubectl":
      return words
        .filter((_, i) => words[i - 1] === "-k")
        .filter((path) => !existsSync(join(ROOT, path)))
        .map((path) => `there is no ${path}`);
    default:
      return [];
  }
}

function problemsOfArguments(words: readonly string[]): readonly string[] {
  const [first = "", ...rest] = words;
  const isWord = WORDS.includes(first);
  const collected = { problems: [] as string[], flags: new Map<string, string[]>() };
  parseArguments(isWord ? (first as Word) : "trace", isWord ? rest : words, collected);
  const unknown = [...collected.flags.keys()].filter(
    (flag) => !SETTINGS.some((setting) => longFlag(setting) === flag),
  );
  return [...collected.problems, ...unknown];
}

function problemsOfNpm([verb, ...words]: readonly string[]): readonly string[] {
  const script = verb === "start" || verb === "test" ? verb : words.find((word) => !word.startsWith("-"));
  if (verb !== "run" && verb !== script) return [];
  return script !== undefined && isScript(script) ? [] : [`there is no script ${script}`];
}

function problemsOfHelm(words: readonly string[]): readonly string[] {
  const values = words
    .map((word, i) =>
      /^--set(-string|-json)?$/.test(words[i - 1] ?? "") ? word : /^--set=(.*)/.exec(word)?.[1],
    )
    .flatMap((assignments) => assignments?.split(",") ?? [])
    .map((assignment) => assignment.split("=")[0] ?? "");
  return values.filter((path) => !isChartValue(path)).map((path) => `the chart has no value ${path}`);
}

function readJson(file: string): { readonly scripts?: Readonly<Record<string, string>> } {
  return JSON.parse(readFileSync(join(ROOT, file), "utf8"));
}
