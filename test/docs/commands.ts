import type { Fence } from "./markdown.ts";

/** One command of a document with what the document says that it prints. */
export interface DocumentedCommand {
  readonly command: string;
  /** Lines below it; empty where the document shows none. A line `…` stands for any number of lines. */
  readonly output: readonly string[];
  readonly line: number;
}

/** The commands of a block that is tagged `sh` (all lines) or `console` (what begins with `$ ` or `# `). */
export function commandsOf({ tag, lines, line }: Fence): readonly DocumentedCommand[] {
  const commands: { command: string; output: string[]; line: number }[] = [];
  let continues = false;
  for (const [i, text] of lines.entries()) {
    const last = commands.at(-1);
    const command = tag === "sh" ? text.trim() : /^[$#] (.*)$/.exec(text)?.[1];
    if (continues && last !== undefined) last.command += ` ${partOf(text)}`;
    else if (tag === "sh" && (command === "" || command?.startsWith("#") === true)) continue;
    else if (command !== undefined) {
      commands.push({ command: partOf(command), output: [], line: line + i });
    } else last?.output.push(text);
    continues = text.endsWith("\\") && (continues || command !== undefined);
  }
  return commands;
}

/** The parts of a command that are programs with arguments, each as words; quotes are taken away. */
export function programsOf(command: string): readonly (readonly string[])[] {
  return command
    .split(/\s(?:&&|\|\||\||;)\s|;\s/)
    .map((part) => wordsOf(part.trim()))
    .map((words) => words.slice(words.findIndex((word) => !/^(?:sudo|npx|--|[A-Z_]+=.*)$/.test(word))));
}

function wordsOf(text: string): readonly string[] {
  return [...text.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g)].map(([word]) => word.replaceAll(/['"]/g, ""));
}

/** A line of a command without the remark or the backslash behind it. */
function partOf(text: string): string {
  return text
    .replace(/\s+#\s.*$/, "")
    .replace(/\s*\\$/, "")
    .trim();
}

/** Whether what was printed is what a document shows. */
export function isOutput(shown: readonly string[], printed: readonly string[]): boolean {
  const [first, ...rest] = shown;
  if (first === undefined) return printed.length === 0;
  if (first !== "…") return first === printed[0] && isOutput(rest, printed.slice(1));
  return printed.some((_, skip) => isOutput(rest, printed.slice(skip))) || isOutput(rest, []);
}
