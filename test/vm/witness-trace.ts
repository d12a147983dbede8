import { parseRows, type Row } from "./trace-rows.ts";

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

/** Farther out stands what a softirq has interrupted. */
const SOFTIRQ = /^(handle_softirqs|__do_softirq)/;

type Open = { -readonly [key in keyof Sighting]: Sighting[key] };

/** Reads the text of the witness's `trace` file. */
export function parseTrace(text: string): readonly Sighting[] {
  const sightings: Sighting[] = [];
  const running = new Map<string, Open[]>();
  const shrinking = new Set<string>();
  for (const row of parseRows(text)) {
    const calls = running.get(row.cpu) ?? [];
    running.set(row.cpu, calls);
    if (row.event === "witness_result") {
      // Calls nest on a CPU (a softirq within a softirq), so a return belongs to the innermost.
      const call = calls.pop();
      if (call !== undefined) call.result = Number(row.fields["ret"]);
      continue;
    }
    const sighting = parseSighting(row, shrinking);
    if (sighting === undefined) continue;
    sightings.push(sighting);
    if (sighting.kind === "attempt") calls.push(sighting);
  }
  return sightings;
}

/** `shrinking` holds the flows whose path MTU has just shrunk. */
function parseSighting(row: Row, shrinking: Set<string>): Open | undefined {
  const { event, fields } = row;
  const ports = event.startsWith("witness_") ? probePorts(fields) : tracepointPorts(fields);
  const result = undefined;
  switch (event) {
    case "witness_simple":
      shrinking.add(ports.join());
      return undefined;
    case "witness_probe":
      return { kind: "probe", ports, way: "loss_probe", result };
    case "witness_attempt":
      return { kind: "attempt", ports, way: wayOf(row, shrinking, ports.join()), result };
    case "tcp_retransmit_skb":
      // Since 6.17 the tracepoint tells of failures too; those are attempts with a result here.
      if ((fields["err"] ?? "0") !== "0") return undefined;
      return { kind: "outcome", ports, way: wayOf(row, shrinking, ports.join()), result };
    case "tcp_retransmit_synack":
      return { kind: "outcome", ports, way: "syn_ack", result };
    default:
      return undefined;
  }
}

function tracepointPorts(fields: Row["fields"]): readonly [number, number] {
  return [Number(fields["sport"]), Number(fields["dport"])];
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
  const softirq = stack.findIndex((frame) => SOFTIRQ.test(frame));
  const own = softirq < 0 ? stack : stack.slice(0, softirq);
  const has = (name: string) => own.some((frame) => frame.startsWith(name));
  const way = WAY_BY_FUNCTION.find(([name]) => has(name))?.[1] ?? "unknown";
  if (way === "timer") return SYN_SENT.has(fields["state"] ?? "") ? "syn" : "timer";
  if (way !== "queue" || !shrinking.has(flow)) return way;
  if (!has("tcp_ack")) return "mtu";
  shrinking.delete(flow);
  return "queue";
}
