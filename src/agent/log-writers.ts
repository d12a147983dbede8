import { pino } from "pino";
import type { LogEntry, LogLevel } from "./log-entry.ts";

/** Where lines go. */
export interface LineOptions {
  readonly write: (text: string) => void;
}

/** Writes entries with pino, one JSON object a line: level in words, ISO time, component, msg, repeated, err. */
export function pinoEntries({
  write,
  unixMs,
}: LineOptions & { readonly unixMs: () => number }): (entry: LogEntry) => void {
  const logger = pino(
    {
      base: null,
      level: "debug", // what is said at all was decided before
      timestamp: () => `,"time":"${new Date(unixMs()).toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
    },
    { write },
  );
  return ({ level, component, message, repeated, cause }) =>
    logger[level](
      {
        component,
        ...(repeated === 0 ? {} : { repeated }),
        ...(cause === undefined ? {} : { err: cause }),
      },
      message,
    );
}

/** Writes entries as lines for a person; `color` marks what needs one. */
export function lineEntries({
  write,
  color,
}: LineOptions & { readonly color: boolean }): (entry: LogEntry) => void {
  return ({ level, message, repeated, cause }) => {
    const [word, mark] = PREFIX[level];
    const prefix = word === "" ? "" : color ? `${mark}${word}:${RESET} ` : `${word}: `;
    const count = repeated === 0 ? "" : ` (${repeated} ${repeated === 1 ? "time" : "times"} more)`;
    write(`${prefix}${printable(message + because(cause))}${count}\n`);
  };
}

const PREFIX: Readonly<Record<LogLevel, readonly [word: string, mark: string]>> = {
  debug: ["Debug", "\u001b[2m"],
  info: ["", ""],
  warn: ["Warning", "\u001b[33m"],
  error: ["Error", "\u001b[31m"],
};
const RESET = "\u001b[0m";

function because(cause: unknown): string {
  if (cause === undefined) return "";
  return `: ${cause instanceof Error ? cause.message : String(cause)}`;
}

/** Others' words are in it: nothing in them may steer a terminal, or look like a line of ours. */
function printable(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll(/\p{C}/gu, "?");
}
