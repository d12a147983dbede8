import {
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { parseTrace, type Sighting } from "./witness-trace.ts";

const GROUP = "witness";

/**
 * The first members of `struct sock_common` have not moved since 4.14: peer port 12, local port 14, state 18;
 * so this witness needs no layout from the code that it is to check.
 */
const SOCKET = "dport=+12($arg1):x16 sport=+14($arg1):u16 state=+18($arg1):u8";

const PROBES = [
  `p:${GROUP}/witness_attempt tcp_retransmit_skb ${SOCKET}`,
  `p:${GROUP}/witness_probe tcp_send_loss_probe ${SOCKET}`,
  `p:${GROUP}/witness_simple tcp_simple_retransmit ${SOCKET}`,
];

/** Its trampoline hides a stack's next frame before 5.15 (`unwind_recover_kretprobe`), so not there. */
const RETURN_PROBE = `r64:${GROUP}/witness_result tcp_retransmit_skb ret=$retval:s32`;

const TRACEPOINTS = ["tcp/tcp_retransmit_skb", "tcp/tcp_retransmit_synack"];

/** Someone else's tracing: probes and an instance that are no part of tcpretrans and see the same retransmits by their stacks. */
export class Witness {
  readonly #tracing: string;
  readonly #instance: string;
  readonly #definitions: readonly string[];
  readonly #global: string;

  constructor(tracing: string, { returns }: { readonly returns: boolean }) {
    this.#tracing = tracing;
    this.#instance = join(tracing, "instances", GROUP);
    this.#definitions = returns ? [...PROBES, RETURN_PROBE] : PROBES;
    mkdirSync(this.#instance);
    this.#write("trace_clock", "mono");
    this.#write("buffer_size_kb", "24000");
    this.#write("options/stacktrace", "1");
    const control = openSync(join(tracing, "kprobe_events"), "a");
    for (const definition of this.#definitions) writeSync(control, `${definition}\n`);
    this.#write(`events/${GROUP}/enable`, "1");
    for (const event of TRACEPOINTS) this.#write(`events/${event}/enable`, "1");
    this.#global = this.#globalState();
  }

  /** All that was seen so far, in time order. */
  sightings(): readonly Sighting[] {
    return parseTrace(readFileSync(join(this.#instance, "trace"), "utf8"));
  }

  /** Hits of all kprobes that exist now, of anyone, that the kernel skipped: the third column of kprobe_profile. */
  missed(): number {
    const rows = readFileSync(join(this.#tracing, "kprobe_profile"), "utf8").trim().split("\n");
    return rows.reduce((sum, row) => sum + Number(row.trim().split(/\s+/)[2] ?? 0), 0);
  }

  /** What would show that another program has meddled with it. */
  complaints(): readonly string[] {
    const complaints: string[] = [];
    const instances = readdirSync(join(this.#tracing, "instances")).filter((name) => name !== GROUP);
    if (instances.length > 0) complaints.push(`instances left: ${instances.join(" ")}`);
    const probes = readFileSync(join(this.#tracing, "dynamic_events"), "utf8").trim().split("\n");
    const foreign = probes.filter((line) => !line.includes(`:${GROUP}/`));
    if (foreign.length > 0) complaints.push(`probes left: ${foreign.join("; ").slice(0, 200)}`);
    if (probes.length - foreign.length !== this.#definitions.length)
      complaints.push("probes of another tool gone");
    const enabled = readFileSync(join(this.#instance, "events", GROUP, "enable"), "utf8").trim();
    if (enabled !== "1") complaints.push(`another tool's probes disabled: ${enabled}`);
    if (this.#globalState() !== this.#global) complaints.push("the global buffer's settings changed");
    for (const cpu of readdirSync(join(this.#instance, "per_cpu"))) {
      const stats = readFileSync(join(this.#instance, "per_cpu", cpu, "stats"), "utf8");
      if (!/^overrun: 0$/m.test(stats)) complaints.push(`the witness itself lost records on ${cpu}`);
    }
    return complaints;
  }

  #globalState(): string {
    const files = [
      "tracing_on",
      "trace_clock",
      "buffer_size_kb",
      "set_event",
      "current_tracer",
      "trace_options",
    ];
    return files.map((file) => readFileSync(join(this.#tracing, file), "utf8")).join();
  }

  #write(file: string, text: string): void {
    const path = join(this.#instance, file);
    if (!existsSync(path)) throw new Error(`Cannot set up the witness: no ${path}`);
    writeFileSync(path, text);
  }
}
