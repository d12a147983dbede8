import * as v from "valibot";
import { hideCredentials } from "./hide-credentials.ts";
import { describeLeaf } from "./leaf.ts";
import { OTEL_VARIABLES, type OtelVariable } from "./otel-variables.ts";
import type { Env, Given } from "./read-texts.ts";

/** What the OTEL_* variables say together. */
export interface OtelGivens {
  /** By the setting's path; checked. */
  readonly givens: ReadonlyMap<string, Given>;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Reads every standard variable that sets something here; what cannot be used is left out with a warning, or an error where that would be silence. */
export function readOtelVariables(env: Env): OtelGivens {
  const givens = new Map<string, Given>();
  const problems: string[] = [];
  const warnings: string[] = [];
  for (const variable of OTEL_VARIABLES) {
    const text = env[variable.name]?.trim() ?? "";
    if (text === "") continue;
    const shown = variable.name.endsWith("_ENDPOINT") ? hideCredentials(text) : text;
    const written = variable.secret === true ? variable.name : `${variable.name}=${shown}`;
    const fault = takeVariable(variable, { text, env, written, givens });
    if (fault?.kind === "note") warnings.push(`${written}: ${fault.sentence}`);
    else if (fault !== undefined && variable.strict === true) {
      problems.push(`Cannot use ${written}: ${fault.sentence}`);
    } else if (fault !== undefined) warnings.push(`Leaving out ${written}: ${fault.sentence}`);
  }
  return { givens, problems, warnings };
}

interface Taking {
  readonly text: string;
  readonly env: Env;
  readonly written: string;
  readonly givens: Map<string, Given>;
}

interface Fault {
  readonly kind: "note" | "unusable";
  readonly sentence: string;
}

/** Adds what one variable says, where nothing before it said so. */
function takeVariable(variable: OtelVariable, { text, env, written, givens }: Taking): Fault | undefined {
  const reading = variable.read(text, env);
  if (reading.kind === "unusable") return { kind: "unusable", sentence: reading.remedy };
  for (const [path, value] of reading.values) {
    const [issue] = v.safeParse(describeLeaf(path).schema, value).issues ?? [];
    if (issue !== undefined) return { kind: "unusable", sentence: sayIssue(path, value, { text, issue }) };
  }
  for (const [path, value] of reading.values) {
    if (!givens.has(path)) givens.set(path, { by: variable.name, written, value, checked: true });
  }
  return reading.note === undefined ? undefined : { kind: "note", sentence: reading.note };
}

/** The remedy is in the setting's own unit, so it needs the setting's name where that is another than the variable's. */
function sayIssue(
  path: string,
  value: unknown,
  { text, issue }: { readonly text: string; readonly issue: v.BaseIssue<unknown> },
): string {
  const isSame = typeof value !== "number" || String(value) === text;
  return isSame ? issue.message : `${path} would be ${value}: ${issue.message}`;
}
