import { closeSync, constants, openSync, readdirSync, statfsSync, statSync } from "node:fs";
import type { Libc } from "../syscall/libc.ts";
import { type DirectoryEntry, parseDirectory } from "./parse-directory.ts";

export interface ProcessListOptions {
  readonly procRoot: string;
  readonly libc: Libc | undefined;
}

/** A look at the processes. */
export interface ProcessLook {
  readonly pids: readonly number[];
  /** Whether these are all; else those alone that have come since the look before, and all others are there still. */
  readonly isWhole: boolean;
}

/** include/uapi/linux/magic.h: PROC_SUPER_MAGIC */
const PROC_SUPER_MAGIC = 0x9fa0;
/** 1,300 entries; what does not fit comes with the next call. */
const BUFFER_BYTES = 32_768;
/** All of them are listed so often, whatever their number says. */
const WHOLE_MS = 5_000;

/**
 * The processes of a /proc. A list of all takes the kernel and Node 0.2 ms for 100 of them; who has come is told by the
 * end of the list, since PIDs are given in rising order, and their number tells whether that was all.
 */
export class ProcessList implements Disposable {
  readonly #procRoot: string;
  readonly #libc: Libc | undefined;
  /** The open directory, where it can be read from within. */
  #fd: number | undefined;
  readonly #buffer = new Uint8Array(new ArrayBuffer(BUFFER_BYTES));
  /** Of a PID's entry, less the PID (TGID_OFFSET in fs/proc/base.c); undefined where that was not found so. */
  #base: number | undefined;
  /** The one that was given last, as far as is known: newer ones are behind it until the numbers begin anew. */
  #last = 0;
  #count = -1;
  #nextWholeMs = Number.NEGATIVE_INFINITY;

  constructor({ procRoot, libc }: ProcessListOptions) {
    this.#procRoot = procRoot;
    this.#libc = libc;
    if (libc === undefined || statfsSync(procRoot).type !== PROC_SUPER_MAGIC) return;
    this.#fd = openSync(procRoot, constants.O_RDONLY | constants.O_DIRECTORY);
  }

  /** Who is there, or who has come; `isWhole` asks for all, `isKnown` tells those that were given before and live. */
  look(
    nowMs: number,
    { isWhole, isKnown }: { readonly isWhole: boolean; readonly isKnown: (pid: number) => boolean },
  ): ProcessLook {
    const count = this.#readCount(); // before the list: who comes in between makes the next list a whole one
    if (!isWhole && nowMs < this.#nextWholeMs) {
      const pids = this.#newer()?.filter((pid) => !isKnown(pid));
      if (pids !== undefined && count === this.#count + pids.length) {
        this.#note(pids, count);
        return { pids, isWhole: false };
      }
    }
    const pids = this.#all();
    this.#note(
      pids.filter((pid) => !isKnown(pid)),
      count,
    );
    this.#nextWholeMs = nowMs + WHOLE_MS;
    return { pids, isWhole: true };
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** A /proc has a link for each process, other PID namespaces' too (proc_root_getattr in fs/proc/root.c). */
  #readCount(): number {
    return this.#fd === undefined ? -1 : statSync(this.#procRoot).nlink;
  }

  /** After the highest number the kernel begins anew: then the last is the highest of those below. */
  #note(come: readonly number[], count: number): void {
    this.#count = count;
    const below = come.filter((pid) => pid < this.#last);
    this.#last = below.length > 0 ? highest(below) : Math.max(this.#last, highest(come));
  }

  #newer(): readonly number[] | undefined {
    if (this.#base === undefined) return undefined;
    return this.#read(this.#base + this.#last + 1)?.map(({ pid }) => pid);
  }

  #all(): readonly number[] {
    const entries = this.#read(0);
    if (entries === undefined) {
      return readdirSync(this.#procRoot)
        .map(Number)
        .filter((pid) => Number.isInteger(pid));
    }
    this.#base = baseOf(entries);
    return entries.map(({ pid }) => pid);
  }

  /** Undefined where that is not possible. */
  #read(position: number): readonly DirectoryEntry[] | undefined {
    if (this.#fd === undefined || this.#libc === undefined) return undefined;
    const entries: DirectoryEntry[] = [];
    for (let next = position; ; ) {
      const bytes = this.#libc.readDirectory(this.#fd, next, this.#buffer);
      if (bytes < 0) return undefined;
      if (bytes === 0) return entries;
      next = parseDirectory(this.#buffer.subarray(0, bytes), entries);
    }
  }
}

/** What every entry tells of the next one's position, less that one's PID. */
function baseOf(entries: readonly DirectoryEntry[]): number | undefined {
  let base: number | undefined;
  for (const [i, { nextPosition }] of entries.entries()) {
    const next = entries[i + 1];
    if (next === undefined) break;
    base ??= nextPosition - next.pid;
    if (base !== nextPosition - next.pid) return undefined;
  }
  return base;
}

function highest(pids: readonly number[]): number {
  return pids.reduce((most, pid) => Math.max(most, pid), 0);
}
