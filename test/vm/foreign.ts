import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { parseRows } from "./trace-rows.ts";

const INSTANCE = "foreign";
/** Nearly a name of ours: what follows is no id. */
const ALIKE = "tcpretrans-other";

const PROBES = [
  "p:foreign/foreign_attempt tcp_retransmit_skb sk=$arg1:x64",
  "p:foreign_global/foreign_entry tcp_retransmit_skb sk=$arg1:x64",
  "p:tcpretrans_other/foreign_alike tcp_send_loss_probe",
];

/** Settings of the global buffer: new instances inherit its options. */
const GLOBAL_SETTINGS: Readonly<Record<string, string>> = {
  trace_clock: "boot",
  buffer_size_kb: "2000",
  "options/stacktrace": "1",
  "options/overwrite": "0",
};

/** Other tools' tracing: probes in an instance, in the global buffer and nowhere, and a global buffer that is set up. */
export class Foreign {
  readonly #tracing: string;
  readonly #before: Readonly<Record<string, string>>;

  constructor(tracing: string) {
    this.#tracing = tracing;
    for (const name of [INSTANCE, ALIKE]) mkdirSync(join(tracing, "instances", name));
    for (const probe of PROBES) append(join(tracing, "dynamic_events"), probe);
    this.#write(`instances/${INSTANCE}/buffer_size_kb`, "4000");
    this.#write(`instances/${INSTANCE}/events/foreign/enable`, "1");
    this.#write(`instances/${INSTANCE}/events/tcp/tcp_retransmit_skb/enable`, "1");
    for (const [file, value] of Object.entries(GLOBAL_SETTINGS)) this.#write(file, value);
    this.#write("events/foreign_global/enable", "1");
    this.#before = this.#state();
  }

  /** What another program has changed. */
  changes(): readonly string[] {
    const now = this.#state();
    return Object.keys(this.#before)
      .filter((key) => now[key] !== this.#before[key])
      .map((key) => `${key} was ${this.#before[key]}, is ${now[key]}`);
  }

  /** Retransmits of a port that were sent, in time order, each by its CPU. */
  sent(port: number): readonly number[] {
    return this.#rows(`instances/${INSTANCE}/trace`)
      .filter(({ event, fields }) => event === "tcp_retransmit_skb" && (fields["err"] ?? "0") === "0")
      .filter(({ fields }) => [fields["sport"], fields["dport"]].includes(String(port)))
      .map(({ cpu }) => Number(cpu));
  }

  /** Records of the foreign kprobes so far: in the instance and in the global buffer. */
  hits(): readonly [instance: number, global: number] {
    const count = (file: string, name: string) =>
      this.#rows(file).filter(({ event }) => event === name).length;
    return [count(`instances/${INSTANCE}/trace`, "foreign_attempt"), count("trace", "foreign_entry")];
  }

  #rows(file: string) {
    return parseRows(this.#read(file));
  }

  #state(): Readonly<Record<string, string>> {
    const probes = this.#read("dynamic_events").split("\n");
    const files = [
      ...Object.keys(GLOBAL_SETTINGS),
      ...["tracing_on", "set_event", "current_tracer", "trace_options", "events/foreign_global/enable"],
      ...["tracing_on", "set_event", "trace_clock"].map((file) => `instances/${INSTANCE}/${file}`),
    ];
    return {
      probes: probes.filter((line) => /foreign/.test(line)).join("; "),
      instances: readdirSync(join(this.#tracing, "instances"))
        .filter((name) => [INSTANCE, ALIKE].includes(name))
        .join(" "),
      ...Object.fromEntries(files.map((file) => [file, this.#read(file)])),
    };
  }

  #read(file: string): string {
    return readFileSync(join(this.#tracing, file), "utf8");
  }

  #write(file: string, text: string): void {
    writeFileSync(join(this.#tracing, file), text);
  }
}

/** One write without O_TRUNC, which would remove every probe of the machine. */
export function append(file: string, line: string): void {
  const fd = openSync(file, "a");
  try {
    writeSync(fd, `${line}\n`);
  } finally {
    closeSync(fd);
  }
}
