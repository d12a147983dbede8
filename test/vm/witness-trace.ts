/**
 * Which function made the kernel try. A timer's retransmit may be a timeout or a zero-window probe, a queue's fast or
 * slow start: there the kernel's counters decide.
 */
export type Way = "timer" | "syn" | "queue" | "reordering" | "mtu" | "loss_probe" | "syn_ack" | "unknown";

/** One record of the witness. */
export interface Sighting {
  /** `attempt`: tcp_retransmit_skb begins; `outcome`: the kernel's own tracepoint; `probe`: tcp_send_loss_probe begins. */
  readonly kind: "attempt" | "outcome" | "probe";
  readonly ports: readonly [local: number, peer: number];
  readonly way: Way;
  /** What tcp_retransmit_skb returned; undefined where no return probe saw it. */
  readonly result: number | undefined;
}

/** TCP_SYN_SENT, include/net/tcp_states.h, as a kprobe's number and as the tracepoint's name. */
const SYN_SENT = new Set(["2", "TCP_SYN_SENT"]);

/** The function that says why, in the order to ask. */
const WAY_BY_FUNCTION: readonly (readonly [string, Way])[] = [
  ["tcp_send_loss_probe", "loss_probe"],
  ["tcp_rack_reo_timeout", "reordering"],
  ["tcp_simple_retransmit", "mtu"],
  ["tcp_retransmit_timer", "timer"],
  ["tcp_xmit_retransmit_queue", "queue"],
];

interface Row {
  readonly cpu: string;
  readonly event: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly stack: string[];
}

type Open = { -readonly [key in keyof Sighting]: Sighting[key] };

/** Reads the text of an instance's `trace` file with stacks on. */
export function parseTrace(text: string): readonly Sighting[] {
  const sightings: Sighting[] = [];
  const running = new Map<string, Open[]>();
  const shrinking = new Set<string>();
  for (const row of parseRows(text)) {
    const calls = running.get(row.cpu) ?? [];
    running.set(row.cpu, calls);
    const { event, fields } = row;
    const ports = event.startsWith("witness_")
      ? probePorts(fields)
      : ([Number(fields["sport"]), Number(fields["dport"])] as const);
    const flow = ports.join();
    switch (event) {
      case "witness_result": {
        // Calls nest on a CPU (a softirq within a softirq), so a return belongs to the innermost.
        const call = calls.pop();
        if (call !== undefined) call.result = Number(fields["ret"]);
        break;
      }
      case "witness_simple":
        shrinking.add(flow);
        break;
      case "witness_probe":
        sightings.push({ kind: "probe", ports, way: "loss_probe", result: undefined });
        break;
      case "witness_attempt": {
        const attempt = {
          kind: "attempt",
          ports,
          way: wayOf(row, shrinking, flow),
          result: undefined,
        } as const;
        sightings.push(attempt);
        calls.push(attempt);
        break;
      }
      case "tcp_retransmit_skb":
        // Since 6.17 the tracepoint tells of failures too; those are attempts with a result here.
        if (fields["err"] !== undefined && fields["err"] !== "0") break;
        sightings.push({ kind: "outcome", ports, way: wayOf(row, shrinking, flow), result: undefined });
        break;
      case "tcp_retransmit_synack":
        sightings.push({ kind: "outcome", ports, way: "syn_ack", result: undefined });
        break;
    }
  }
  return sightings;
}

/** The kprobe shows the peer's port as the number that its big-endian bytes are on a little-endian machine. */
function probePorts(fields: Row["fields"]): readonly [number, number] {
  const peer = Number(fields["dport"] ?? 0);
  return [Number(fields["sport"] ?? 0), ((peer & 0xff) << 8) | (peer >> 8)];
}

/**
 * tcp_simple_retransmit jumps to tcp_xmit_retransmit_queue as its last deed, so it is not on the stack: what follows its
 * entry on the same socket without an acknowledgement (tcp_ack) is its.
 */
function wayOf({ stack, fields }: Row, shrinking: Set<string>, flow: string): Way {
  const has = (name: string) => stack.some((frame) => frame.startsWith(name));
  const way = WAY_BY_FUNCTION.find(([name]) => has(name))?.[1] ?? "unknown";
  if (way === "timer") return SYN_SENT.has(fields["state"] ?? "") ? "syn" : "timer";
  if (way !== "queue" || !shrinking.has(flow)) return way;
  if (!has("tcp_ack")) return "mtu";
  shrinking.delete(flow);
  return "queue";
}

/**
 * A record is `<idle>-0 [001] ..s1. 12.345678: event: a=1 b=2`. Its stack is a record of its own, by its event
 * `<stack trace>` and then ` => function` lines; others may come between, on this CPU a softirq's with their own stacks.
 */
function parseRows(text: string): readonly Row[] {
  const rows: Row[] = [];
  const bare = new Map<string, Row[]>();
  let stack: string[] | undefined;
  for (const line of text.split("\n")) {
    const frame = /^ => (\S+)/.exec(line)?.[1];
    if (frame !== undefined) {
      stack?.push(frame);
      continue;
    }
    const [, cpu, event, rest] = /\[(\d+)\].*? \d+\.\d+: (<stack trace>|\w+)(.*)$/.exec(line) ?? [];
    if (cpu === undefined || event === undefined) continue;
    const waiting = bare.get(cpu) ?? [];
    bare.set(cpu, waiting);
    if (event === "<stack trace>") {
      stack = waiting.pop()?.stack;
      continue;
    }
    const fields = [...(rest ?? "").matchAll(/(\w+)=(\S+)/g)].map(([, name, value]) => [name, value]);
    const row = { cpu, event, fields: Object.fromEntries(fields), stack: [] };
    waiting.push(row);
    rows.push(row);
  }
  return rows;
}
