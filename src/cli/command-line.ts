import { Command, Option } from "commander";
import { longFlag, NAMING_SETTINGS, SETTINGS, type Setting } from "../config/settings.ts";
import type { Cause } from "../event/tcp-event.ts";
import type { AddressRange, NetnsSelector } from "./filters.ts";
import { describeSetting, helpAfter } from "./help-text.ts";
import {
  oneOf,
  PROBE_CHOICES,
  type ProbeChoice,
  parseCause,
  parseNetns,
  parseRange,
  parseSeconds,
  parseState,
  type ValueParser,
  wholeNumber,
} from "./option-values.ts";

/** What can stand first on the command line; `trace` is what it does without a word. */
export type Word = "trace" | "record" | "replay" | "doctor" | "agent";

/** Options as the library gives them; those of other commands are absent. */
export interface RawOptions {
  readonly lossProbes?: boolean;
  readonly stack?: boolean;
  readonly wide?: boolean;
  readonly json?: boolean;
  readonly summary?: true | number;
  readonly color?: boolean;
  readonly count?: number;
  readonly duration?: number;
  readonly verify?: boolean;
  readonly demo?: boolean;
  readonly kubernetes?: boolean;
  readonly version?: boolean;
  readonly probe: ProbeChoice;
  readonly bufferSize: number;
  readonly interval: number;
  readonly local?: readonly AddressRange[];
  readonly remote?: readonly AddressRange[];
  readonly port?: readonly number[];
  readonly state?: readonly number[];
  readonly type?: readonly Cause[];
  readonly netns?: readonly NetnsSelector[];
  readonly config?: string;
  readonly checkConfig?: boolean;
  readonly printConfig?: boolean;
}

/** Default ring buffer of each CPU in KiB: about 20,000 records of 200 bytes. */
const BUFFER_KIB = 4096;
const MAX_BUFFER_KIB = 1_048_576;

/** Counters have no pages to record. */
const RECORDABLE = PROBE_CHOICES.filter((choice) => choice !== "counters");

const USAGE: Readonly<Record<Word, string>> = {
  trace: "[-hls] [options]\n       tcpretrans record FILE | replay FILE | doctor | agent  # each with -h",
  record: "[-hs] [options] FILE",
  replay: "[-hls] [options] FILE",
  doctor: "[-h] [--json]",
  agent: "[-h] [--config FILE] [options]",
};

/** What parsing collects beside the library's own options. */
export interface Collected {
  /** What is wrong with values: parsing goes on. */
  readonly problems: string[];
  /** Texts of the configuration's flags by their long names; a switch has an empty one. */
  readonly flags: Map<string, string[]>;
}

/** The definition of one command; what it collects is added to `collected` while it parses. */
export function commandLine(word: Word, { problems, flags }: Collected): Command {
  const command = new Command(word === "trace" ? "tcpretrans" : `tcpretrans ${word}`)
    .exitOverride()
    .allowExcessArguments(false)
    .usage(USAGE[word])
    .helpOption("-h, --help", "this message")
    .configureHelp({ styleTitle: (title) => title.replace(/^\w+/, (word) => word.toUpperCase()) })
    .addHelpText("after", helpAfter(word));
  const add = adder(command, problems);
  switch (word) {
    case "trace":
      addView(command, add);
      addFilters(command, add);
      addCapture(command, add, PROBE_CHOICES);
      command.option("--verify", "at the end, compare with the kernel's own counters");
      add("--interval <seconds>", "between prints of --probe=counters", parseSeconds, { value: 1 });
      addKubernetes(command, flags);
      command.optionsGroup("Other:");
      command.option("--demo", "make a lossy link with traffic, and show that");
      command.option("--version", "version of tcpretrans");
      break;
    case "record":
      command.argument("<FILE>", "file to write");
      command.option("-s, --stack", "record kernel stacks too");
      addCapture(command, add, RECORDABLE);
      break;
    case "replay":
      command.argument("<FILE>", "file that tcpretrans record wrote");
      addView(command, add);
      addFilters(command, add);
      break;
    case "doctor":
      command.option("--json", "one JSON object");
      break;
    case "agent":
      addConfiguration(command, flags);
      break;
  }
  return command;
}

type Adder = <T>(flags: string, description: string, parse: ValueParser<T>, more?: Behaviour<T>) => void;

interface Behaviour<T> {
  readonly value?: T;
  /** Each use adds a value: the option's value is the list. */
  readonly repeats?: boolean;
}

/** Makes a function that adds options with a value; one that cannot be parsed is a problem, and parsing goes on. */
function adder(command: Command, problems: string[]): Adder {
  return (flags, description, parse, { value, repeats = false } = {}) => {
    const option = new Option(flags, description).argParser((text: string, previous: unknown) => {
      try {
        const parsed = parse(text);
        return repeats ? [...(Array.isArray(previous) ? previous : []), parsed] : parsed;
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        problems.push(`Cannot use ${option.long} ${text}: ${error.message}`);
        return previous;
      }
    });
    command.addOption(value === undefined ? option : option.default(value, String(value)));
  };
}

function addView(command: Command, add: Adder): void {
  command.option("-l, --loss-probes", "show tail loss probes too, as L>");
  command.option("-s, --stack", "show the kernel stack under each event");
  command.optionsGroup("Output:");
  command.option("--wide", "more columns, and failed attempts");
  command.option("--json", "one JSON object a line, failed attempts too");
  add("--summary [seconds]", "per connection and cause: at the end, or every so many seconds", parseSeconds);
  add("--count <n>", "end after so many printed events", wholeNumber(1, Number.MAX_SAFE_INTEGER));
  command.option("--color", "colours even where the output is no terminal");
  command.option("--no-color", "no colours (or set NO_COLOR)");
}

function addFilters(command: Command, add: Adder): void {
  command.optionsGroup("Filters (repeat one for alternatives):");
  add("--local <address>", "a local address or CIDR range", parseRange, { repeats: true });
  add("--remote <address>", "a remote address or CIDR range", parseRange, { repeats: true });
  add("--port <port>", "a port of either end", wholeNumber(1, 65_535), { repeats: true });
  add("--state <name>", "a TCP state, such as SYN_SENT", parseState, { repeats: true });
  add("--type <cause>", "a cause, as --wide shows them", parseCause, { repeats: true });
  add("--netns <inum|path>", "a network namespace", parseNetns, { repeats: true });
}

function addKubernetes(command: Command, flags: Collected["flags"]): void {
  command.optionsGroup("Kubernetes:");
  command.option("--kubernetes", "name both ends: pod, service, node, process");
  for (const setting of NAMING_SETTINGS) addSetting(command, setting, flags);
}

/** Every setting is a flag; those that few need have no line in the help. */
function addConfiguration(command: Command, flags: Collected["flags"]): void {
  command.option("--config <file>", "a YAML file with settings (or TCPRETRANS_CONFIG)");
  command.option("--check-config", "say what is wrong with the configuration, and end");
  command.option("--print-config", "print it with where each value is from, and end");
  for (const setting of SETTINGS) {
    const [section = ""] = setting.path.split(".");
    command.optionsGroup(`${section.charAt(0).toUpperCase()}${section.slice(1)}:`);
    addSetting(command, setting, flags);
    if (setting.kind !== "switch") continue;
    const negated = new Option(`--no-${longFlag(setting).slice(2)}`).hideHelp();
    command.addOption(negated).on(`option:${negated.name()}`, () => collect(setting, "false", flags));
  }
}

/** The configuration's flags are only collected here: config/ says what they may hold. */
function addSetting(command: Command, setting: Setting, flags: Collected["flags"]): void {
  const option = new Option(setting.flag, describeSetting(setting)).hideHelp(setting.hidden);
  if (setting.kind === "switch") {
    command.addOption(option).on(`option:${option.name()}`, () => collect(setting, "", flags));
  } else command.addOption(option.argParser((text: string) => collect(setting, text, flags)));
}

function collect(setting: Setting, text: string, flags: Collected["flags"]): true {
  const long = longFlag(setting);
  flags.set(long, [...(flags.get(long) ?? []), text]);
  return true;
}

function addCapture(command: Command, add: Adder, choices: readonly ProbeChoice[]): void {
  command.optionsGroup("Capture:");
  add("--duration <seconds>", "end after so long", parseSeconds);
  add("--probe <how>", choices.join(", "), oneOf(choices), { value: "auto" });
  add("--buffer-size <KiB>", "ring buffer of each CPU", wholeNumber(8, MAX_BUFFER_KIB), {
    value: BUFFER_KIB,
  });
}
