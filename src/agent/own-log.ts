import { pino } from "pino";
import { RepeatLimit } from "./repeat-limit.ts";

export type LogLevel = "info" | "warn" | "error";

/** The program's own words about itself. Retransmits never go through it. */
export interface OwnLog {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
  /** The same log, as another part of the program. */
  as(component: string): OwnLog;
  /** Says what came again meanwhile, with its count: to be called about once a second. */
  remind(): void;
}

/** One thing said. */
export interface LogEntry {
  readonly level: LogLevel;
  readonly component: string;
  readonly message: string;
  /** How often it came since it was said last. */
  readonly repeated: number;
}

export interface OwnLogOptions {
  /** A clock that never goes back, in ms. */
  readonly now: () => number;
  /** Takes what is said. */
  readonly entry: (entry: LogEntry) => void;
  readonly component: string;
}

/** Opens a log that says a repeated message once a minute, with how often it came. */
export function openOwnLog({ now, entry, component }: OwnLogOptions): OwnLog {
  const limit = new RepeatLimit();
  const keyOf = (level: LogLevel, part: string, message: string) => `${level}\n${part}\n${message}`;
  const remind = () => {
    for (const [key, said] of limit.due(now())) {
      const [level = "", part = "", ...message] = key.split("\n");
      entry({ level: levelOf(level), component: part, message: message.join("\n"), ...said });
    }
  };
  const logOf = (part: string): OwnLog => {
    const say = (level: LogLevel) => (message: string) => {
      const said = limit.offer(keyOf(level, part, message), now());
      if (said !== undefined) entry({ level, component: part, message, ...said });
    };
    return { info: say("info"), warn: say("warn"), error: say("error"), as: logOf, remind };
  };
  return logOf(component);
}

/** Writes entries with pino, one JSON object a line: level in words, ISO time, component, message. */
export function pinoEntries(write: (text: string) => void): (entry: LogEntry) => void {
  const logger = pino(
    {
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    { write },
  );
  return ({ level, component, message, repeated }) =>
    logger[level](repeated === 0 ? { component } : { component, repeated }, message);
}

/** Writes entries as lines for a person. */
export function lineEntries(say: (line: string) => void): (entry: LogEntry) => void {
  return ({ message, repeated }) => say(repeated === 0 ? message : `${message} (${repeated} times more)`);
}

function levelOf(text: string): LogLevel {
  return text === "info" || text === "warn" ? text : "error";
}
