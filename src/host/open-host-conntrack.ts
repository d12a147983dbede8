import { accessSync, constants } from "node:fs";
import type { Libc } from "../syscall/libc.ts";
import { errnoName } from "../syscall/system-call-error.ts";
import { type ConntrackAges, HostConntrack } from "./conntrack.ts";
import type { ConntrackPair } from "./conntrack-answer.ts";
import { NETLINK_NETFILTER, NetlinkConntrack } from "./conntrack-netlink.ts";
import { ProcConntrack, type ProcConntrackOptions } from "./conntrack-proc.ts";
import { findHostNamespace } from "./host-namespace.ts";
import { insideNetwork } from "./inside-network.ts";
import { turnClock } from "./turn-clock.ts";

export interface OpenHostConntrackOptions {
  /** Where the host's /proc is. */
  readonly procRoot: string;
  /** Undefined (Node 24): only the file in /proc. */
  readonly libc: Libc | undefined;
  /** Monotonic clock in ms; `performance.now()` by default. */
  readonly now?: () => number;
  /** Connections remembered, at about 300 bytes each. */
  readonly maxConnections?: number;
  readonly ages?: Partial<ConntrackAges>;
  /** Bounds of the passes over the file in /proc. */
  readonly proc?: Omit<Partial<ProcConntrackOptions>, "onAnswer" | "now">;
}

/** A netlink look-up is cheap enough to ask for a living connection anew every 10 s. */
const NETLINK_AGES: ConntrackAges = { entry: 10_000, none: 1000, refresh: Number.POSITIVE_INFINITY };

/** The file costs more: its answers serve longer, and are asked for again while they still serve. */
const PROC_AGES: ConntrackAges = { entry: 60_000, none: 5000, refresh: 30_000 };

/**
 * Opens connection tracking of the host's network namespace: by netlink where Node has `node:ffi` and the kernel
 * lets us (CAP_NET_ADMIN; CAP_SYS_ADMIN too where this process is in another namespace), else by the file in
 * /proc, else not at all. Never throws: `way` says which, `note` in one sentence why not the best.
 */
export function openHostConntrack({
  procRoot,
  libc,
  now,
  maxConnections = 32_768,
  ages,
  proc = {},
}: OpenHostConntrackOptions): HostConntrack {
  const memoryNow = now ?? turnClock(() => performance.now());
  const netlink = openNetlink(procRoot, libc);
  if (typeof netlink !== "string") {
    const common = { source: () => netlink, way: "netlink", note: undefined } as const;
    return new HostConntrack({
      ...common,
      now: memoryNow,
      ages: { ...NETLINK_AGES, ...ages },
      maxConnections,
    });
  }
  const file = `${procRoot}/1/net/nf_conntrack`;
  const unreadable = whyUnreadable(file);
  if (unreadable !== undefined) {
    const note = `Cannot tell what addresses are translated to: ${netlink}, and ${unreadable}`;
    const common = { source: undefined, way: "none", note } as const;
    return new HostConntrack({ ...common, now: memoryNow, ages: NETLINK_AGES, maxConnections });
  }
  return new HostConntrack({
    source: (onAnswer) =>
      new ProcConntrack(file, { ...proc, onAnswer, now: now ?? (() => performance.now()) }),
    way: "proc",
    note: `Translated addresses are told late, from ${file}: ${netlink}`,
    now: memoryNow,
    ages: { ...PROC_AGES, ...ages },
    maxConnections,
  });
}

/** The source, or why there is none. */
function openNetlink(procRoot: string, libc: Libc | undefined): NetlinkConntrack | string {
  if (libc === undefined) return "this Node has no node:ffi, which Node 26 has";
  const namespace = findHostNamespace({ procRoot });
  if (namespace.kind === "hidden")
    return "the host's network namespace cannot be reached without CAP_SYS_PTRACE and the host's processes";
  let source: NetlinkConntrack;
  try {
    const open = () => libc.netlinkSocket(NETLINK_NETFILTER);
    const fd = namespace.kind === "own" ? open() : insideNetwork(namespace.path, open, { procRoot, libc });
    source = new NetlinkConntrack(libc, { fd });
  } catch (error) {
    return whyNoSocket(error);
  }
  const answer = source.ask(NO_CONNECTION);
  if (answer.kind !== "failed") return source;
  source[Symbol.dispose]();
  if (answer.error === "refused") return "netlink says EPERM, it needs CAP_NET_ADMIN";
  return `netlink gives no entries here (${answer.error}), the kernel may lack nf_conntrack_netlink`;
}

/** A pair that no connection has: the kernel checks what we may and can before it looks. */
const NO_CONNECTION: ConntrackPair = {
  ipVersion: 4,
  localAddress: "0.0.0.0",
  localPort: 0,
  peerAddress: "0.0.0.0",
  peerPort: 0,
};

function whyNoSocket(error: unknown): string {
  if (errnoName(error) === "EPROTONOSUPPORT") return "the kernel has no nfnetlink";
  const reason = error instanceof Error ? error.message : String(error);
  return `no netlink socket in the host's network namespace, which needs CAP_SYS_ADMIN (${reason})`;
}

function whyUnreadable(file: string): string | undefined {
  try {
    accessSync(file, constants.R_OK);
    return undefined;
  } catch (error) {
    const name = errnoName(error);
    if (name === "ENOENT")
      return `there is no ${file} (connection tracking is not loaded, or the kernel is built without CONFIG_NF_CONNTRACK_PROCFS)`;
    return `${file} cannot be read (${name})`;
  }
}
