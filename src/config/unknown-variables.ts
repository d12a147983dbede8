import { didYouMean } from "./did-you-mean.ts";
import { type Env, isServiceLink } from "./read-texts.ts";
import { SETTINGS } from "./settings.ts";

const PREFIX = "TCPRETRANS_";

/** Variables of ours that set nothing in the configuration: the file, the Node to run on, and to go without node:ffi. */
const OTHERS = ["TCPRETRANS_CONFIG", "TCPRETRANS_NODE", "TCPRETRANS_NO_FFI"];

/** A warning for each TCPRETRANS_* variable that nothing reads. */
export function unknownVariables(env: Env): readonly string[] {
  const known = [...SETTINGS.map((setting) => setting.env), ...OTHERS];
  const ends = known.filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length));
  return Object.entries(env)
    .filter(([name, text]) => name.startsWith(PREFIX) && !known.includes(name) && !isServiceLink(name, text))
    .map(([name]) => {
      const meant = didYouMean(name.slice(PREFIX.length), ends);
      return `Unknown variable ${name}${meant === undefined ? "" : `: did you mean ${PREFIX}${meant}?`}`;
    });
}
