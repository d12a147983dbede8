import type { KernelStack } from "../event/tcp-event.ts";

/** Bounds the memory of a StackTable: stacks kept, 2^12. A storm here had about a thousand. */
const SLOT_BITS = 12;
const SLOTS = 2 ** SLOT_BITS;

interface Slot {
  /** Halves of the addresses as they stood in the record, low before high. */
  readonly words: Uint32Array;
  readonly stack: KernelStack;
}

/** Makes each stack once: equal bytes give the same object, so that what is known of a stack can be kept by it. */
export class StackTable {
  readonly #slots: (Slot | undefined)[] = new Array(SLOTS).fill(undefined);

  /** The stack of `count` addresses at `offset`, without those that are 0: slots that the kernel left empty. */
  read(view: DataView, offset: number, count: number): KernelStack {
    const index = hash(view, offset, count);
    const slot = this.#slots[index];
    if (slot !== undefined && same(slot.words, view, offset, count)) return slot.stack;
    const words = new Uint32Array(2 * count);
    for (let i = 0; i < words.length; i++) words[i] = view.getUint32(offset + 4 * i, true);
    const stack: bigint[] = [];
    for (let i = 0; i < count; i++) {
      const address = view.getBigUint64(offset + 8 * i, true);
      if (address !== 0n) stack.push(address);
    }
    this.#slots[index] = { words, stack };
    return stack;
  }
}

/** The upper bits of a product, which all lower ones have a part in. */
function hash(view: DataView, offset: number, count: number): number {
  let mixed = count;
  for (let i = 0; i < count; i++) {
    mixed = Math.imul(mixed ^ view.getInt32(offset + 8 * i, true), 0x9e3779b1); // 2^32 / golden ratio
  }
  return mixed >>> (32 - SLOT_BITS);
}

function same(words: Uint32Array, view: DataView, offset: number, count: number): boolean {
  if (words.length !== 2 * count) return false;
  for (let i = 0; i < words.length; i++) if (words[i] !== view.getUint32(offset + 4 * i, true)) return false;
  return true;
}
