import type { Setting } from "../config/settings.ts";
import { CAUSES } from "../event/tcp-event.ts";
import type { Word } from "./command-line.ts";
import { formatExitCodes } from "./exit-codes.ts";

/** What stands below the options in a command's help. */
export function helpAfter(word: Word): string {
  switch (word) {
    case "trace":
      return `\n${COLUMNS}\n\n${EXAMPLES}\n\nEXIT CODES:\n${formatExitCodes()}`;
    case "record":
      return "\nThe file holds raw trace pages and what is needed to decode them elsewhere.\n  eg, tcpretrans record --duration 60 storm.rec";
    case "replay":
      return "\nGives the same output as live. Needs neither root nor the kernel it was made on.\n  eg, tcpretrans replay --wide storm.rec";
    case "doctor":
      return "\nTries every probe for real and says what this host can and cannot see.\nExit code 4 when nothing can be captured.";
    case "agent":
      return `\n${AGENT}\n\nEXIT CODES:\n${formatExitCodes()}`;
  }
}

/** A setting's line in the help: what it is, what it may be, and its default. */
export function describeSetting({ description, choices, fallback, kind }: Setting): string {
  const unsaid = choices.some((choice) => !description.includes(choice));
  const words = unsaid ? `${description}: ${choices.join(", ")}` : description;
  if (kind === "list" || kind === "named" || kind === "pairs") return `${words} (repeatable)`;
  if (kind === "switch" && fallback === true) return `${words} (on; --no-… turns it off)`;
  return typeof fallback === "string" || typeof fallback === "number" ? `${words} (${fallback})` : words;
}

const AGENT = `Flags win over TCPRETRANS_* variables, these over the OTEL_* variables of the
OpenTelemetry specification, these over the file, and that over the defaults.
A switch is turned off by --no-, as in --no-http. All settings, and those that
have no line here: docs/configuration.md.
  eg, tcpretrans agent --otlp-endpoint http://collector:4317 --print-config`;

const COLUMNS = `COLUMNS:
  TIME   local time of the event, from the kernel's clock
  PID    the task that was on the CPU. Retransmits are driven by timers and by
         arriving packets, so it is often 0 and seldom the socket's owner
  --     R> a retransmit that was sent, L> a tail loss probe (with -l)
  STATE  of the socket, by the kernel's name
  CAUSE  (--wide) ${wrap(CAUSES)}
  SEGS   segments of the event; OUTCOME sent, or failed with the errno where
         the kernel tells it; RETRY consecutive timeouts so far; RTO and
         SRTT in milliseconds; CWND in segments; - is unknown`;

const EXAMPLES = `EXAMPLES:
  tcpretrans                            # trace TCP retransmits
  tcpretrans -l                         # tail loss probes too
  tcpretrans --wide --remote 10.0.0.0/8 # with causes, towards one network
  tcpretrans --summary --duration 60    # who retransmits, over a minute
  tcpretrans --json --type timeout      # for a script
  tcpretrans --verify --duration 60     # is any missing?
  tcpretrans --kubernetes               # which pods, and to whom`;

/** Words over lines of 80 columns, indented as the texts of COLUMNS. */
function wrap(words: readonly string[]): string {
  const lines = ["(--wide)"];
  for (const word of words) {
    const last = lines.at(-1) ?? "";
    if (last.length + word.length > 68) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join("\n         ").slice("(--wide) ".length);
}
