/** Bytes of a short name, its length first. */
export const NAME_BYTES = 24;
/** No second of a column: one in the year 2106. */
export const NO_SECOND = 0xffffffff;
const LEAST = 1024;

/** Numbers of many pods side by side, by slot. */
export interface PodColumns {
  /** Four to a slot. */
  readonly uids: Uint32Array;
  /** 0 where it has no IPv4 address. */
  readonly v4: Uint32Array;
  /** `NAME_BYTES` to a slot. */
  readonly names: Uint8Array;
  readonly flags: Uint8Array;
  readonly startFloors: Uint32Array;
  /** `NO_SECOND` where it was not told. */
  readonly readySeconds: Uint32Array;
  readonly certainMs: Float64Array;
  readonly seenIn: Uint32Array;
}

/** Columns with room for more slots than `slots`, and the values of those before. */
export function growColumns(slots: number, before: PodColumns | undefined): PodColumns {
  const room = slots + Math.max(LEAST, slots >> 2);
  return {
    uids: grow(before?.uids, new Uint32Array(room * 4)),
    v4: grow(before?.v4, new Uint32Array(room)),
    names: grow(before?.names, new Uint8Array(room * NAME_BYTES)),
    flags: grow(before?.flags, new Uint8Array(room)),
    startFloors: grow(before?.startFloors, new Uint32Array(room)),
    readySeconds: grow(before?.readySeconds, new Uint32Array(room)),
    certainMs: grow(before?.certainMs, new Float64Array(room)),
    seenIn: grow(before?.seenIn, new Uint32Array(room)),
  };
}

/** Whether a time in Unix seconds has room in a column. */
export function isSecond(seconds: number): boolean {
  return Number.isInteger(seconds) && seconds >= 0 && seconds < NO_SECOND;
}

type Numbers = Uint32Array | Uint8Array | Float64Array;

function grow<T extends Numbers>(before: T | undefined, room: T): T {
  if (before !== undefined) room.set(before);
  return room;
}
