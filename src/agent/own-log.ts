import { LOG_LEVELS, type LogLevel } from "./log-entry.ts";
import { LogGate, type LogGateOptions } from "./log-gate.ts";

/** The program's own words about itself. Retransmits never go through it. */
export interface OwnLog {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  /** `cause`: what was thrown, with its stack; of a message that comes again, the first one's. */
  error(message: string, cause?: unknown): void;
  /** The same log, as another part of the program. */
  as(component: string): OwnLog;
  /** Says what came again meanwhile, with its count, and how much was left out: to be called about once a second. */
  remind(): void;
  /** Says all that is still kept back: for the end of the program. */
  end(): void;
  /** Messages that are only a count beside the same message, and those that were never written. */
  readonly counts: { readonly keptBack: number; readonly leftOut: number };
}

export interface OwnLogOptions extends LogGateOptions {
  /** The least level that is said. */
  readonly level: LogLevel;
}

/** Characters of one message: others' words may be in it. */
const MAX_MESSAGE = 2000;

/** Opens a log; `component` is the part of the program that speaks until as() says otherwise. */
export function openOwnLog(options: OwnLogOptions): OwnLog {
  const gate = new LogGate(options);
  const least = LOG_LEVELS.indexOf(options.level);
  const logOf = (component: string): OwnLog => {
    const at = (level: LogLevel) => {
      if (LOG_LEVELS.indexOf(level) < least) return () => {};
      return (message: string, cause?: unknown) =>
        gate.say({ level, component, message: cut(message), cause });
    };
    return {
      ...{ debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") },
      as: logOf,
      remind: () => gate.remind(),
      end: () => gate.end(),
      counts: gate,
    };
  };
  return logOf(options.component);
}

function cut(message: string): string {
  return message.length <= MAX_MESSAGE ? message : `${message.slice(0, MAX_MESSAGE)}…`;
}
