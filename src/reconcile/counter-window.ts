import { COUNTERS, type CounterName, type CounterValues, type CounterWindow } from "./identities.ts";

/** Why two reads do not make a window. */
export type NoWindow = { readonly missing: string };

/**
 * How counters moved between two reads; a namespace that did not exist at the first started at zero. A
 * counter that went back means that the kernel gave the inode number to a new namespace.
 */
export function counterWindow(
  opens: CounterValues | undefined,
  closes: CounterValues,
): CounterWindow | NoWindow {
  const moved = new Map<CounterName, number>();
  for (const name of COUNTERS) {
    const end = closes[name];
    const start = opens === undefined ? 0n : opens[name];
    if (end === undefined || start === undefined) continue;
    if (end < start) return { missing: "namespace replaced by another of the same number" };
    moved.set(name, Number(end - start));
  }
  return { moved: recordOf((name) => moved.get(name)), life: closes };
}

/** Adds the windows of several namespaces up, as for a rung whose events do not tell theirs. */
export function sumOfWindows(windows: readonly CounterWindow[]): CounterWindow {
  const add = <T extends number | bigint>(values: readonly (T | undefined)[], plus: (a: T, b: T) => T) =>
    values.reduce((total, value) =>
      total === undefined || value === undefined ? undefined : plus(total, value),
    );
  return {
    moved: recordOf((name) =>
      add(
        windows.map(({ moved }) => moved[name]),
        (a, b) => a + b,
      ),
    ),
    life: recordOf((name) =>
      add(
        windows.map(({ life }) => life[name]),
        (a, b) => a + b,
      ),
    ),
  };
}

function recordOf<T>(value: (name: CounterName) => T): Readonly<Record<CounterName, T>> {
  return Object.fromEntries(COUNTERS.map((name) => [name, value(name)])) as Record<CounterName, T>;
}
