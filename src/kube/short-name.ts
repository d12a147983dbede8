import { NAME_BYTES } from "./pod-columns.ts";

/** Beside the length: the name begins with its workload's. */
const PREFIXED = 0x80;

export interface NamePlace {
  readonly names: Uint8Array;
  readonly slot: number;
}

/** Writes what a pod's name has beyond its workload's, or all of it; false where that has no room or is not ASCII. */
export function writeName(name: string, workload: string, { names, slot }: NamePlace): boolean {
  const isPrefixed = name.startsWith(workload);
  const rest = isPrefixed ? name.slice(workload.length) : name;
  if (rest.length >= NAME_BYTES) return false;
  const at = slot * NAME_BYTES;
  for (let i = 0; i < rest.length; i++) {
    const code = rest.charCodeAt(i);
    if (code > 127) return false;
    names[at + 1 + i] = code;
  }
  names[at] = rest.length | (isPrefixed ? PREFIXED : 0);
  return true;
}

/** The name that `writeName` wrote. */
export function readName(workload: string, { names, slot }: NamePlace): string {
  const at = slot * NAME_BYTES;
  const head = names[at] ?? 0;
  const start = at + 1;
  const rest = String.fromCharCode(...names.subarray(start, start + (head & ~PREFIXED)));
  return (head & PREFIXED) === 0 ? rest : workload + rest;
}
