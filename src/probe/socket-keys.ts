import type { SocketKey } from "../event/tcp-event.ts";

/** Bounds the memory: sockets of the younger of two generations. As many congestion states are kept. */
const MAX_SOCKETS = 65_536;
/** Sockets that are found without the map, a power of two. */
const SLOTS = 4096;

/**
 * Numbers sockets from 1 on by their kernel addresses. Maps find a small integer at once; an address is beyond what V8
 * keeps without an object, which each of them would hash anew. A socket that is forgotten gets a number that is new.
 */
export class SocketKeys {
  readonly #max: number;
  readonly #slotPointers = new Float64Array(SLOTS);
  readonly #slotKeys: number[] = new Array(SLOTS).fill(0);
  /** When the younger is full, it takes the older one's place. */
  #young = new Map<number, number>();
  #old = new Map<number, number>();
  #last = 0;

  constructor({ max = MAX_SOCKETS }: { readonly max?: number } = {}) {
    this.#max = max;
  }

  /** The key of the socket at an address, of which 53 bits are told. */
  readonly of = (pointer: number): SocketKey => {
    const slot = slotOf(pointer);
    if (this.#slotPointers[slot] === pointer && pointer !== 0) return this.#slotKeys[slot] as SocketKey;
    const key = this.#young.get(pointer) ?? this.#old.get(pointer) ?? ++this.#last;
    this.#keep(pointer, key);
    // Who was in the slot was used since it was kept.
    this.#keep(this.#slotPointers[slot] ?? 0, this.#slotKeys[slot] ?? 0);
    this.#slotPointers[slot] = pointer;
    this.#slotKeys[slot] = key;
    return key as SocketKey;
  };

  #keep(pointer: number, key: number): void {
    if (key === 0 || this.#young.has(pointer)) return;
    if (this.#young.size >= this.#max) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(pointer, key);
  }
}

/** Sockets lie at multiples of 64 bytes, those of a slab at multiples of their size. */
function slotOf(pointer: number): number {
  const low = (pointer / 64) | 0;
  return (Math.imul(low, 0x9e3779b1) >>> 20) & (SLOTS - 1); // 2^32 / golden ratio
}
