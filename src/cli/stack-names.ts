import type { KernelStack } from "../event/tcp-event.ts";

/** Frames of the tracing machinery itself, inside the kernel function that was traced. */
const MACHINERY = /^(trace_event_|__traceiter_|perf_trace_|__probestub_|eprobe_|kprobe_|ftrace_)/;
/** The functions that are traced, and their callers. */
const TRACED = /^_*tcp_/;

/** Shown for an address that no symbol holds: the address itself never leaves the process. */
const NO_NAME = "[unknown]";

/**
 * Turns stacks into function names, innermost first, without the frames of the tracing machinery.
 * Names are kept as long as their stack is: a storm's stacks are few (probe/stack-table.ts).
 */
export function stackNames(
  resolve: (address: bigint) => string | undefined,
): (stack: KernelStack) => readonly string[] {
  const known = new WeakMap<KernelStack, readonly string[]>();
  return (stack) => {
    const before = known.get(stack);
    if (before !== undefined) return before;
    const names = stack.map((address) => resolve(address) ?? NO_NAME);
    const shown = names.slice(machineryOf(names));
    known.set(stack, shown);
    return shown;
  };
}

/**
 * How many frames lie inside the traced function. Only those before the first of its kind: farther out may stand a task
 * that a softirq interrupted in this very machinery.
 */
function machineryOf(names: readonly string[]): number {
  const traced = names.findIndex((name) => TRACED.test(name));
  return names.findLastIndex((name, i) => i < traced && MACHINERY.test(name)) + 1;
}
