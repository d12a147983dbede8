import { readdirSync, statSync } from "node:fs";

type NamedNamespace = readonly [inum: number, name: string];

/** What is mounted on a file is mounted a moment after it was made, which the directory's own time does not tell. */
const SETTLED_MS = 10_000;
/** All of it is read so often, whatever its time says. */
const READ_MS = 5_000;

/** A directory of namespace mounts: it is read again where a name has come or gone. */
export class NamespaceDirectory {
  readonly #path: string;
  #found: readonly NamedNamespace[] = [];
  #changedMs: number | undefined;
  /** When it was first found changed so, and when it was read last, on the caller's clock. */
  #sinceMs = Number.NEGATIVE_INFINITY;
  #readMs = Number.NEGATIVE_INFINITY;

  constructor(path: string) {
    this.#path = path;
  }

  /** Empty where there is no such directory; `thorough` reads it in any case. */
  read(nowMs: number, { thorough }: { readonly thorough: boolean }): readonly NamedNamespace[] {
    const changedMs = timeOf(this.#path);
    if (changedMs !== this.#changedMs) this.#sinceMs = nowMs;
    this.#changedMs = changedMs;
    const isSettled = nowMs - this.#sinceMs >= SETTLED_MS && nowMs - this.#readMs < READ_MS;
    if (isSettled && !thorough) return this.#found;
    this.#readMs = nowMs;
    this.#found = readAll(this.#path);
    return this.#found;
  }
}

/** Undefined where there is no such directory. */
function timeOf(path: string): number | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  } catch {
    return undefined;
  }
}

function readAll(path: string): readonly NamedNamespace[] {
  const found: NamedNamespace[] = [];
  for (const name of listNames(path)) {
    const inum = inodeOf(`${path}/${name}`);
    if (inum !== undefined) found.push([inum, name]);
  }
  return found;
}

/** Undefined where it is gone by now, or is no mount at all but a link that leads nowhere. */
function inodeOf(path: string): number | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.ino;
  } catch {
    return undefined;
  }
}

function listNames(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
