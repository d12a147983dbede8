/**
 * A clock that is read once in each turn of the event loop and stands still within it: a reading takes 60 ns, which is
 * a lot for each event of a tick.
 */
export function turnClock(now: () => number): () => number {
  let read: number | undefined;
  const forget = () => {
    read = undefined;
  };
  return () => {
    if (read !== undefined) return read;
    queueMicrotask(forget);
    read = now();
    return read;
  };
}
