/** Bounds the memory: tasks whose value is kept, a power of two. */
const SLOTS = 64;

interface Slot<T> {
  readonly pid: number;
  readonly value: T;
}

/** Remembers what is made of a PID: in a storm many events are told by few tasks. */
export function byTask<T>(make: (pid: number) => T): (pid: number) => T {
  const slots: (Slot<T> | undefined)[] = new Array(SLOTS).fill(undefined);
  return (pid) => {
    const index = pid & (SLOTS - 1);
    const slot = slots[index];
    if (slot !== undefined && slot.pid === pid) return slot.value;
    const value = make(pid);
    slots[index] = { pid, value };
    return value;
  };
}
