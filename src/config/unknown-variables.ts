import { didYouMean } from "./did-you-mean.ts";
import { type Env, isServiceLink } from "./read-texts.ts";
import { SETTINGS } from "./settings.ts";

/** Variables of ours that set nothing in the configuration: the file's name, and a switch of the whole program. */
const OTHERS = ["TCPRETRANS_CONFIG", "TCPRETRANS_NO_FFI"];

/** A warning for each TCPRETRANS_* variable that nothing reads. */
export function unknownVariables(env: Env): readonly string[] {
  const known = [...SETTINGS.map((setting) => setting.env), ...OTHERS];
  return Object.entries(env)
    .filter(
      ([name, text]) => name.startsWith("TCPRETRANS_") && !known.includes(name) && !isServiceLink(name, text),
    )
    .map(([name]) => {
      const meant = didYouMean(name, known);
      return `Unknown variable ${name}${meant === undefined ? "" : `: did you mean ${meant}?`}`;
    });
}
