import { type Command, CommanderError } from "commander";
import { type Collected, commandLine, type RawOptions, type Word } from "./command-line.ts";

/** What the arguments of one command say; what is wrong with them is among the collected problems. */
export type Parsed =
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "options"; readonly raw: RawOptions; readonly args: readonly string[] };

/** Reads the arguments behind a command's word. */
export function parseArguments(word: Word, argv: readonly string[], collected: Collected): Parsed {
  const output: string[] = [];
  const program = commandLine(word, collected).configureOutput({
    writeOut: (text) => output.push(text),
    writeErr: () => {},
    getOutHelpWidth: () => 80,
    getOutHasColors: () => false,
  });
  try {
    program.parse(argv, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === "commander.helpDisplayed") return { kind: "help", text: output.join("") };
    collected.problems.unshift(explain(error, program));
  }
  return { kind: "options", raw: program.opts<RawOptions>(), args: program.args };
}

function explain(error: CommanderError, program: Command): string {
  if (error.code === "commander.excessArguments") {
    const [word = ""] = program.args.slice(program.registeredArguments.length);
    if (["record", "replay", "doctor", "agent"].includes(word)) {
      return `Cannot use ${word} behind options: put it first, as in tcpretrans ${word}`;
    }
    return `Cannot use "${word}": it is neither an option nor a command (record, replay, doctor, agent)`;
  }
  if (error.code === "commander.missingArgument")
    return "Cannot go on without a file: give its name behind the command";
  const [text = "", ...more] = error.message.replace(/^error: /, "").split("\n");
  return [`${text.charAt(0).toUpperCase()}${text.slice(1)}`, ...more].join(" ");
}
