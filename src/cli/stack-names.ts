import type { KernelStack } from "../event/tcp-event.ts";

/** Frames of the tracing machinery itself, above the kernel function that was traced. */
const MACHINERY = /^(trace_event_|__traceiter_|perf_trace_|__probestub_|eprobe_|kprobe_|ftrace_)/;

/** Shown for an address that no symbol holds: the address itself never leaves the process. */
const NO_NAME = "[unknown]";

/** Turns stacks into function names, innermost first, without the frames of the tracing machinery. */
export function stackNames(
  resolve: (address: bigint) => string | undefined,
): (stack: KernelStack) => readonly string[] {
  return (stack) => {
    const names = stack.map((address) => resolve(address) ?? NO_NAME);
    return names.slice(names.findLastIndex((name) => MACHINERY.test(name)) + 1);
  };
}
