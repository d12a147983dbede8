import { setTimeout as sleep } from "node:timers/promises";
import { type DemoLink, openDemoLink, removeDeadLinks } from "./demo-link.ts";
import type { DemoRole } from "./demo-traffic.ts";

export interface DemoOptions {
  /** The Node to run the traffic with, and the program to run on it (this one). */
  readonly node: string;
  readonly main: string;
  readonly signal: AbortSignal;
}

/** Real traffic that retransmits; disposing it leaves nothing behind. */
export interface Demo extends AsyncDisposable {
  /** One line: that this is a demonstration, and how to run without it. */
  describe(): string;
  /** Network namespaces that were made, by name. */
  readonly namespaces: readonly string[];
}

/**
 * Makes two network namespaces, a lossy link and traffic over it. Where `ip` or `nft` is missing or the kernel
 * refuses, it fills an accept queue on loopback instead, which needs no tools. Undefined where `signal` came first.
 */
export async function startDemo(options: DemoOptions): Promise<Demo | undefined> {
  try {
    return await startTraffic(options);
  } catch (error) {
    if (options.signal.aborted) return undefined; // its tools end with the signal, and by Ctrl-C its children too
    throw error;
  }
}

async function startTraffic(options: DemoOptions): Promise<Demo> {
  let link: DemoLink;
  try {
    await removeDeadLinks();
    link = await openDemoLink(options.signal);
  } catch (error) {
    options.signal.throwIfAborted();
    return startFullQueue(options, explain(error));
  }
  return startLossyTraffic(options, link);
}

async function startLossyTraffic(options: DemoOptions, link: DemoLink): Promise<Demo> {
  await using undo = new AsyncDisposableStack();
  undo.use(link);
  const { client, server, addresses } = link;
  undo.use(startChild(options, { role: "serve", args: [], netns: server }));
  undo.use(startChild(options, { role: "talk", args: addresses, netns: client }));
  const owned = undo.move();
  return {
    namespaces: [client, server],
    describe: () =>
      "This is a demonstration: real TCP over a link that loses packets, in two network namespaces of its own; run tcpretrans without --demo for this host's own retransmits",
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function startFullQueue(options: DemoOptions, reason: string): Promise<Demo> {
  await using undo = new AsyncDisposableStack();
  const listener = undo.use(startChild(options, { role: "fill", args: [] }));
  const port = await listener.firstLine(options.signal);
  undo.use(startChild(options, { role: "knock", args: [port] }));
  const owned = undo.move();
  return {
    namespaces: [],
    describe: () =>
      `This is a demonstration: connections to a full accept queue on loopback, since ${reason}; run tcpretrans without --demo for this host's own retransmits`,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function explain(error: unknown): string {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") {
    return "ip or nft is not installed (apt-get install iproute2 nftables shows more causes)";
  }
  return `a lossy link cannot be made here (${error instanceof Error ? error.message : error})`;
}

interface Part {
  readonly role: DemoRole;
  readonly args: readonly string[];
  /** Network namespace to run in, by name. */
  readonly netns?: string;
}

interface Child extends AsyncDisposable {
  /** The first line that it prints; throws when it ends before. */
  firstLine(signal: AbortSignal): Promise<string>;
}

/** How long a child whose standard input is closed may take to end. */
const PATIENCE_MS = 2000;

function startChild({ node, main }: DemoOptions, { role, args, netns }: Part): Child {
  const words = [node, "--disable-warning=ExperimentalWarning", main, "demo-traffic", role, ...args];
  const [command = node, ...rest] = netns === undefined ? words : ["ip", "netns", "exec", netns, ...words];
  const { spawn } = process.getBuiltinModule("node:child_process"); // 3 MB that a trace does without
  const child = spawn(command, rest, { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) =>
    child.on("error", () => resolve()).on("close", () => resolve()),
  );
  child.stdin.on("error", () => {}); // it ended by itself
  return {
    async firstLine(signal) {
      for await (const chunk of child.stdout.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
        signal.throwIfAborted();
        return String(chunk).trim();
      }
      throw new Error(`Cannot show the demonstration: its "${role}" process ended early`);
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      const patience = new AbortController();
      const late = sleep(PATIENCE_MS, true, { signal: patience.signal }).catch(() => false);
      if (await Promise.race([ended.then(() => false), late])) child.kill("SIGKILL");
      patience.abort();
      await ended;
    },
  };
}
