import { readFileSync } from "node:fs";

interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: { readonly functionName: string } }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** The functions that a V8 CPU profile found running most, with their own share of the busy time in percent. */
export function hotFunctions(
  file: string,
  count: number,
): readonly (readonly [name: string, percent: number])[] {
  const { nodes, samples, timeDeltas }: Profile = JSON.parse(readFileSync(file, "utf8"));
  const names = new Map(nodes.map(({ id, callFrame }) => [id, callFrame.functionName || "(anonymous)"]));
  const own = new Map<string, number>();
  let busy = 0;
  for (const [index, id] of samples.entries()) {
    const name = names.get(id) ?? "(unknown)";
    if (name === "(idle)") continue;
    const us = timeDeltas[index] ?? 0;
    busy += us;
    own.set(name, (own.get(name) ?? 0) + us);
  }
  const sorted = [...own].sort(([, a], [, b]) => b - a).slice(0, count);
  return sorted.map(([name, us]) => [name, (100 * us) / busy]);
}
