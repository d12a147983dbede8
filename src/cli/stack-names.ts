import type { KernelStack } from "../event/tcp-event.ts";

/** Frames of the tracing machinery itself, above the kernel function that was traced. */
const MACHINERY = /^(trace_event_|__traceiter_|perf_trace_|__probestub_|eprobe_|kprobe_|ftrace_)/;

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
    const shown = names.slice(names.findLastIndex((name) => MACHINERY.test(name)) + 1);
    known.set(stack, shown);
    return shown;
  };
}
