import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { STORM_PORT } from "./storm.ts";
import type { StormCluster } from "./storm-cluster.ts";

/** One way to see retransmits, as the benchmark runs it. */
export interface Tool {
  readonly name: string;
  /** For `sh -c`; a program alone is exec'ed, so that signals are its own. */
  readonly command: string;
  /** The program that says whether the tool is installed. */
  readonly program: string;
  /** Where its lines are. */
  readonly lines: "stdout" | "stderr";
  /** What it says when it is ready; undefined: it says nothing, and gets three seconds. */
  readonly ready: RegExp | undefined;
  /** Whether a line shows a retransmit of the storm that was sent. */
  readonly isSent: (line: string) => boolean;
  /** Recorded by the kernel into the benchmark's own instance: the retransmits, or all that tcpretrans reads of them. */
  readonly tracePipe: false | "retransmits" | "with causes";
}

export interface ToolPaths {
  /** bin/tcpretrans. */
  readonly product: string;
  /** The benchmark's own tracefs instance. */
  readonly instance: string;
  readonly scratch: string;
}

export const AGENT = "tcpretrans agent, metrics";
export const AGENT_ALL = "tcpretrans agent, metrics and logs by gRPC";
export const CAT = "cat trace_pipe";
export const CAT_CAUSES = "cat trace_pipe, the agent's records";
export const EMPTY = "a reader that throws the agent's pages away";
const READY = /Tracing TCP|Recording TCP/;
const PORT = String(STORM_PORT);
const EMPTY_READER = [
  ...[process.execPath, "--disable-warning=ExperimentalWarning", "--max-semi-space-size=8"],
  ...[
    "--v8-pool-size=1",
    "--no-parallel-scavenge",
    "--no-use-osr",
    join(import.meta.dirname, "empty-reader.ts"),
  ],
].join(" ");

/** perf-tools' columns by awk, from the text of the tracepoint. */
const AWK = `/tcp_retransmit_skb:/ && !/ err=[^0]/ {
  for (i = 5; i <= NF; i++) { n = index($i, "="); v[substr($i, 1, n - 1)] = substr($i, n + 1) }
  pid = $1; sub(/.*-/, "", pid)
  printf "%-8s %-6s %-20s R> %-20s %-12s\\n", $4, pid, v["saddr"] ":" v["sport"], v["daddr"] ":" v["dport"], substr(v["state"], 5)
}`;

/** The same columns by bpftrace; \`err\` is told since 6.17. */
function bpftraceProgram(tellsError: boolean): string {
  const states = ["ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2"];
  states.push("TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING", "NEW_SYN_RECV");
  const names = states.map((name, index) => `@s[${index + 1}] = "${name}";`).join(" ");
  return `BEGIN { ${names} printf("ready\\n"); }
tracepoint:tcp:tcp_retransmit_skb ${tellsError ? "/args->err == 0/ " : ""}{
  time("%H:%M:%S ");
  printf("%-6d %s:%d R> %s:%d %s\\n", pid, ntop(args->family, args->saddr), args->sport,
    ntop(args->family, args->daddr), args->dport, @s[args->state]);
}
END { clear(@s); }
`;
}

/** The tools in the order of a round, with their scripts in the scratch directory. */
export function allTools({ product, instance, scratch }: ToolPaths, tellsError: boolean): readonly Tool[] {
  writeFileSync(join(scratch, "columns.awk"), AWK);
  writeFileSync(join(scratch, "columns.bt"), bpftraceProgram(tellsError));
  const own = { program: product, lines: "stdout", ready: READY, tracePipe: false } as const;
  const pipe = { program: "cat", lines: "stdout", ready: undefined, tracePipe: "retransmits" } as const;
  const address = `:${PORT}`;
  // It finds tracefs only where that usually is: there in a mount namespace of its own. 4 MiB a CPU, as tcpretrans has.
  const bpftraceCommand = (options: string) =>
    `exec env BPFTRACE_PERF_RB_PAGES=1024 unshare -m sh -c 'mount -t tracefs tracefs /sys/kernel/tracing; exec bpftrace ${options} ${scratch}/columns.bt'`;
  const bpftrace = {
    program: "bpftrace",
    lines: "stdout",
    isSent: (line: string) => line.includes(address),
    tracePipe: false,
  } as const;
  return [
    {
      ...own,
      name: "tcpretrans",
      command: `exec ${product} -l`,
      isSent: (line) => / [RL]> .*:\d+/.test(line) && line.includes(address),
    },
    { ...own, name: "tcpretrans --json", command: `exec ${product} -l --json`, isSent: isSentJson },
    {
      ...own,
      name: "tcpretrans --summary",
      command: `exec ${product} --summary --json`,
      isSent: () => false,
    },
    {
      ...pipe,
      name: CAT,
      command: `exec cat ${instance}/trace_pipe`,
      isSent: isSentTrace,
    },
    {
      ...pipe,
      name: "cat trace_pipe | awk",
      command: `cat ${instance}/trace_pipe | awk -f ${scratch}/columns.awk`,
      isSent: (line) => line.includes(address),
    },
    { ...bpftrace, name: "bpftrace", command: bpftraceCommand(""), ready: /^ready/m },
    { ...bpftrace, name: "bpftrace -B full", command: bpftraceCommand("-B full"), ready: undefined },
    {
      name: "perf trace",
      command: "exec perf trace -a -e tcp:tcp_retransmit_skb",
      program: "perf",
      lines: "stderr",
      ready: undefined,
      isSent: (line) => line.includes(`dport: ${PORT},`) && !/ err: [^0]/.test(line),
      tracePipe: false,
    },
  ];
}

/** The agent, and what it is held against: `cat` of the retransmits, and of all the records that the agent reads. */
export function agentTools({ product, instance }: ToolPaths, cluster: StormCluster): readonly Tool[] {
  const own = { program: product, lines: "stdout", tracePipe: false } as const;
  const agent = { ...own, ready: /Names are those of/, isSent: () => false } as const;
  const cat = { program: "cat", lines: "stdout", ready: undefined, isSent: isSentTrace } as const;
  const command = `exec cat ${instance}/trace_pipe`;
  return [
    { ...agent, name: AGENT, command: `exec ${product} ${agentArgs(cluster, "metrics").join(" ")}` },
    { ...agent, name: AGENT_ALL, command: `exec ${product} ${agentArgs(cluster, "all").join(" ")}` },
    { ...cat, name: CAT, command, tracePipe: "retransmits" },
    { ...cat, name: CAT_CAUSES, command, tracePipe: "with causes" },
    {
      ...cat,
      name: EMPTY,
      program: "node",
      command: `exec ${EMPTY_READER} ${instance}`,
      tracePipe: "with causes",
      isSent: () => false,
    },
  ];
}

/** The agent with names: events become metrics; or metrics and log records, sent by gRPC. */
export function agentArgs(
  { kubeconfig, node, collector }: StormCluster,
  what: "metrics" | "all",
  port?: number,
): readonly string[] {
  return [
    ...["agent", "--events", "none", "--log-format", "json"],
    ...["--kubernetes", "true", "--kubeconfig", kubeconfig, "--node-name", node],
    ...(port === undefined ? ["--no-http"] : ["--http-port", `${port}`]),
    ...(what === "all" ? ["--otlp-endpoint", collector] : []),
  ];
}

function isSentTrace(line: string): boolean {
  return line.includes(`dport=${PORT} `) && line.includes("tcp_retransmit_skb:") && !/ err=[^0]/.test(line);
}

/** Whether a --json line is a retransmit or loss probe of the storm that was sent. */
export function isSentJson(line: string): boolean {
  return line.includes(`"destination.port":${PORT},`) && line.includes('"tcp.retransmit.outcome":"sent"');
}
