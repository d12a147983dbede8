import { hideCredentials, isEndpoint } from "./hide-credentials.ts";
import { longFlag, type Setting } from "./settings.ts";

/** Texts of flags by the flag's long name (`--scope`): one for each use; a switch has an empty one, `false` when negated. */
export type FlagTexts = ReadonlyMap<string, readonly string[]>;

/** Environment variables by their names. */
export type Env = Readonly<Record<string, string | undefined>>;

/** What a person wrote for one setting. */
export interface Given {
  /** As it was written, `--scope foo` or `TCPRETRANS_SCOPE=foo`; without what is secret in it. */
  readonly written: string;
  /** The flag's or the variable's name alone. */
  readonly by: string;
  readonly value: unknown;
  /** The schema has taken it already. */
  readonly checked?: boolean;
}

/** The value that a flag gives; the last use wins, lists gather all. */
export function readFlag(setting: Setting, flags: FlagTexts): Given | undefined {
  const by = longFlag(setting);
  const texts = flags.get(by);
  const last = texts?.at(-1);
  if (texts === undefined || last === undefined) return undefined;
  switch (setting.kind) {
    case "switch":
      return { by: last === "false" ? `--no-${by.slice(2)}` : by, written: by, value: last !== "false" };
    case "list":
    case "named":
    case "pairs": {
      const written = setting.secret ? by : texts.map((text) => `${by} ${text}`).join(" ");
      return { by, written, value: listOf(setting, texts) };
    }
    default:
      return { by, written: `${by} ${shown(setting, last)}`, value: scalarOf(setting, last) };
  }
}

/** The value that an environment variable gives; an empty one is one that is not set. */
export function readVariable(setting: Setting, env: Env): Given | undefined {
  const by = setting.env;
  const text = env[by];
  if (text === undefined || text === "" || isServiceLink(by, text)) return undefined;
  const written = setting.secret ? by : `${by}=${shown(setting, text)}`;
  switch (setting.kind) {
    case "list":
    case "named":
      return {
        by,
        written,
        value: listOf(
          setting,
          text.split(",").map((part) => part.trim()),
        ),
      };
    case "pairs":
      return { by, written, value: parsePairs(text) ?? text };
    default:
      return { by, written, value: scalarOf(setting, text) };
  }
}

/**
 * Whether Kubernetes set this variable, as it does in every pod beside a Service: one named tcpretrans-http gives
 * TCPRETRANS_HTTP_PORT=tcp://10.96.0.7:80.
 */
export function isServiceLink(name: string, text: string | undefined): boolean {
  if (/_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_[A-Z]+)?$/.test(name))
    return true;
  return name.endsWith("_PORT") && /^(tcp|udp|sctp):\/\//.test(text ?? "");
}

/**
 * `name=text,name=text` with percent encoding, as the OTEL_* variables have it (W3C Baggage); undefined where it is
 * something else.
 */
export function parsePairs(text: string): Readonly<Record<string, string>> | undefined {
  const pairs: (readonly [string, string])[] = [];
  for (const part of text.split(",")) {
    if (part.trim() === "") continue;
    const at = part.indexOf("=");
    const name = decode(part.slice(0, Math.max(at, 0)).trim());
    const value = decode(part.slice(at + 1).trim());
    if (!name || value === undefined) return undefined;
    pairs.push([name, value]);
  }
  return Object.fromEntries(pairs);
}

function shown({ path }: Setting, text: string): string {
  return isEndpoint(path) ? hideCredentials(text) : text;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // a % without two digits, or bytes that are not UTF-8
  }
}

function scalarOf({ kind }: Setting, text: string): unknown {
  if (kind === "number") return /^\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  if (kind === "choice") return text === "true" || (text !== "false" && text);
  if (kind === "switch") return text === "true" || text === "1" || (text !== "false" && text !== "0" && text);
  return text;
}

function listOf({ kind }: Setting, texts: readonly string[]): unknown {
  if (kind === "list") return texts;
  const pairs = texts.map((text) => {
    const at = text.indexOf("=");
    return at < 0 ? undefined : ([text.slice(0, at), text.slice(at + 1)] as const);
  });
  if (kind === "named")
    return pairs.map((pair, index) => (pair ? { name: pair[0], cidr: pair[1] } : texts[index]));
  return pairs.includes(undefined)
    ? texts.join(",")
    : Object.fromEntries(pairs.filter((pair) => pair !== undefined));
}
