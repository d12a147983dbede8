/** Frames of the tracing machinery itself, above the kernel function that was traced. */
const MACHINERY =
  /^(trace_event_raw_event_|__traceiter_|perf_trace_|__probestub_|trace_event_buffer_|eprobe_|kprobe_)/;

/** Shown for an address that no symbol holds: the address itself never leaves the process. */
const NO_NAME = "[unknown]";

/** Turns stacks into function names, innermost first, without the frames of the tracing machinery. */
export function stackNames(
  resolve: (address: bigint) => string | undefined,
): (stack: readonly bigint[]) => readonly string[] {
  return (stack) => {
    const names = stack.map((address) => resolve(address) ?? NO_NAME);
    const last = names.findLastIndex((name) => MACHINERY.test(name));
    return names.slice(last + 1);
  };
}
