import type { Command, Option } from "commander";
import { commandLine, type Word } from "../src/cli/command-line.ts";
import { helpAfter } from "../src/cli/help-text.ts";
import { VERSION } from "../src/cli/version.ts";
import { roffExample, roffHeading, roffItem, roffParagraph, roffText } from "./roff.ts";

/** Words with what each is for; `trace` has no word of its own. */
const PURPOSES: Readonly<Record<Word, string>> = {
  trace: "Shows each retransmit as it happens, until it is interrupted.",
  record: "Stores the kernel's raw records in a file.",
  replay: "Shows what a file of tcpretrans record holds.",
  doctor: "Tries what this host allows, and says what it lets tcpretrans see.",
  agent:
    "Runs until it is told to end: serves a page, health and metrics on its port, and sends log records, metrics and spans by OTLP.",
};

const DESCRIPTION = `tcpretrans shows every TCP retransmit and every tail loss probe of a Linux host with its cause, its outcome and its segments, from the kernel's own trace records, and in a Kubernetes cluster with the pods, services and nodes at both ends. It needs root and tracefs, and no eBPF. What a host does not let it see it says.`;

const FILES = [
  [
    "/sys/kernel/tracing",
    "The kernel's trace files. tcpretrans makes one instance and a group of probes of its own there, and removes both at its end; where tracefs is not mounted, it mounts it for as long.",
  ],
  [
    "/proc/PID/net/snmp, /proc/PID/net/netstat",
    "The kernel's own counters, of each network namespace through a process in it.",
  ],
] as const;

const ENVIRONMENT = [
  ["TCPRETRANS_*, NODE_NAME, OTEL_*", "Settings of the agent, each the same as a flag. The flag wins."],
  ["TCPRETRANS_CONFIG", "The agent's file, as by --config."],
  ["TCPRETRANS_NODE", "The Node that bin/tcpretrans runs, 24 or newer."],
  ["TCPRETRANS_NO_FFI", "Not empty: go without node:ffi, as on Node 24."],
  ["NO_COLOR", "Not empty: no colours."],
  ["KUBECONFIG", "How to reach the API server, where --kubeconfig says nothing."],
] as const;

/** The manual page tcpretrans(8), made of what `-h` prints. */
export function formatManPage(): string {
  const words = ["record", "replay", "doctor", "agent"] as const;
  const parts = [
    // Words are not to be broken, for many are names; man reads the register at .TH.
    ".nr HY 0",
    `.TH TCPRETRANS 8 "" "tcpretrans ${VERSION}" "System Administration"`,
    '.\\" Made by `npm run generate:man` of what tcpretrans -h prints.',
    ".ad l",
    roffHeading("SH", "NAME"),
    `tcpretrans \\- ${roffText("TCP retransmits with their cause, and the pods at both ends")}`,
    roffHeading("SH", "SYNOPSIS"),
    ...synopsis(["trace", ...words]),
    roffHeading("SH", "DESCRIPTION"),
    roffText(DESCRIPTION),
    ...words.map((word) => roffItem(`tcpretrans ${word}`, PURPOSES[word])),
    roffHeading("SH", "OPTIONS"),
    ...options("trace"),
    ...notes("trace", "SH"),
    ...words.flatMap((word) => [
      roffHeading("SH", `TCPRETRANS ${word.toUpperCase()}`),
      roffText(PURPOSES[word]),
      ...options(word),
      ...notes(word, "SS"),
    ]),
    roffHeading("SH", "ENVIRONMENT"),
    ...ENVIRONMENT.map(([term, meaning]) => roffItem(term, meaning)),
    roffHeading("SH", "FILES"),
    ...FILES.map(([term, meaning]) => roffItem(term, meaning)),
    roffHeading("SH", "SEE ALSO"),
    roffText("ss(8), nstat(8), tcp(7). The documents are in the directory docs of the package."),
  ];
  return `${parts.join("\n")}\n`;
}

function define(word: Word): Command {
  return commandLine(word, { problems: [], flags: new Map() });
}

function synopsis(words: readonly Word[]): readonly string[] {
  return words.map((word) => {
    const command = define(word);
    // The first line of a usage is its own; the others name the other commands.
    const [usage = ""] = command.usage().split("\n");
    return `.B ${roffText(command.name())}\n${roffText(usage)}\n.br`;
  });
}

/** Arguments and options of a command, those of each group under its name. */
function options(word: Word): readonly string[] {
  const command = define(word);
  const help = command.createHelp();
  const groups = help.groupItems(
    [...command.options],
    help.visibleOptions(command),
    (option: Option) => option.helpGroupHeading ?? "Options:",
  );
  const args = help.visibleArguments(command);
  return [
    ...args.map((arg) => roffItem(help.argumentTerm(arg), help.argumentDescription(arg))),
    ...[...groups].flatMap(([title, group]) => [
      ...(title === "Options:"
        ? []
        : [roffHeading("SS", title.replace(/:$/, "").replace(/^(Http|Otlp)$/, upper))]),
      ...group.map((option) => roffItem(help.optionTerm(option), help.optionDescription(option))),
    ]),
  ];
}

function upper(text: string): string {
  return text.toUpperCase();
}

const TITLE = /^([A-Z ]+):\n/;

/** What stands below the options: titles become headings; exit codes are said once, as the whole program's. */
function notes(word: Word, level: "SH" | "SS"): readonly string[] {
  return helpAfter(word)
    .trim()
    .split("\n\n")
    .flatMap((block) => {
      const title = TITLE.exec(block)?.[1];
      if (title === undefined) return paragraphs(block);
      if (title === "EXIT CODES" && word !== "trace") return [];
      const lines = block.split("\n").slice(1);
      const body = title === "EXAMPLES" ? [roffExample(lines.map(undent))] : entries(lines);
      return [roffHeading(level, title === "EXIT CODES" ? "EXIT STATUS" : title), ...body];
    });
}

/** Lines that are one text, and below it what begins with `eg,`. */
function paragraphs(block: string): readonly string[] {
  const lines = block.split("\n");
  const examples = lines.filter((line) => line.startsWith("  eg, "));
  const text = lines.filter((line) => !examples.includes(line)).join(" ");
  return [roffParagraph(text), ...examples.map((line) => roffExample([line.replace("  eg, ", "")]))];
}

/** `  TERM   text`, and the rest of the text below it. */
function entries(lines: readonly string[]): readonly string[] {
  const items: { readonly term: string; text: string }[] = [];
  for (const line of lines) {
    const entry = /^ {2}(\S+) +(.*)$/.exec(line);
    const last = items.at(-1);
    if (entry !== null) items.push({ term: entry[1] ?? "", text: entry[2] ?? "" });
    else if (last !== undefined) last.text += ` ${line.trim()}`;
  }
  return items.map(({ term, text }) => roffItem(term, text));
}

function undent(line: string): string {
  return line.replace(/^ {2}/, "");
}
