import { readdirSync, type Stats, statSync } from "node:fs";

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
    const changedMs = statOf(this.#path)?.mtimeMs;
    if (changedMs !== this.#changedMs) this.#sinceMs = nowMs;
    this.#changedMs = changedMs;
    const isSettled = nowMs - this.#sinceMs >= SETTLED_MS && nowMs - this.#readMs < READ_MS;
    if (isSettled && !thorough) return this.#found;
    this.#readMs = nowMs;
    this.#found = readAll(this.#path);
    return this.#found;
  }
}

function readAll(path: string): readonly NamedNamespace[] {
  const found: NamedNamespace[] = [];
  for (const name of listNames(path)) {
    const inum = statOf(`${path}/${name}`)?.ino;
    if (inum !== undefined) found.push([inum, name]);
  }
  return found;
}

/** Undefined where it is gone by now, or is a link that leads nowhere. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
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
