import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { listNetworkNamespaces } from "../host/network-namespaces.ts";
import { DEMO_PORTS } from "./demo-traffic.ts";

/** Two network namespaces with a link between them that loses packets; disposing it removes them. */
export interface DemoLink extends AsyncDisposable {
  /** Names as `ip netns` shows them: where the traffic comes from, and where it goes. */
  readonly client: string;
  readonly server: string;
  /** The server's addresses. */
  readonly addresses: readonly string[];
}

const NETNS_DIR = "/run/netns";
/** Names are `tcpretrans-demo-<pid>-<start time of it>-<end>`, so that those of a dead owner can be told. */
const NAME = /^tcpretrans-demo-(\d+)-(\d+)-[ab]$/;
const LINK = "demo0";
/** Documentation prefixes (RFC 5737, RFC 3849): in no one's way, and inside the namespaces only. */
const IPV4 = { client: "192.0.2.1", server: "192.0.2.2", bits: 24 };
const IPV6 = { client: "2001:db8::1", server: "2001:db8::2", bits: 64 };

/** Makes the link; throws what `ip` or `nft` said, with nothing left behind. */
export async function openDemoLink(signal: AbortSignal): Promise<DemoLink> {
  const prefix = `tcpretrans-demo-${process.pid}-${startTimeOf("self")}`;
  const [client, server] = [`${prefix}-a`, `${prefix}-b`];
  await using undo = new AsyncDisposableStack();
  undo.defer(() => removeNamespaces([client, server]));
  await runTool("nft", ["--version"], { signal });
  const ends = `link add ${LINK} netns ${client} type veth peer name ${LINK} netns ${server}`;
  await batch([], [`netns add ${client}`, `netns add ${server}`, ends], signal);
  const families = existsSync("/proc/sys/net/ipv6") ? [IPV4, IPV6] : [IPV4];
  for (const [name, end] of [
    [client, "client"],
    [server, "server"],
  ] as const) {
    const addresses = families.map((family) => addAddress(`${family[end]}/${family.bits}`));
    // One packet a segment, so that a lost packet is a lost segment.
    const up = [`link set ${LINK} gso_max_segs 1`, "link set lo up", `link set ${LINK} up`];
    await batch(["-n", name], [...addresses, ...up], signal);
    await runTool("ip", ["netns", "exec", name, "nft", "-f", "-"], { signal, input: rules(end) });
  }
  const owned = undo.move();
  return {
    client,
    server,
    addresses: families.map((family) => family.server),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Removes the namespaces of demonstrations whose owner is dead and that no process is in. */
export async function removeDeadLinks(): Promise<void> {
  if (!existsSync(NETNS_DIR)) return;
  const names = readdirSync(NETNS_DIR).filter((name) => isOwnerDead(name));
  if (names.length === 0) return;
  const inhabited = new Set<number>();
  for (const { kind, inum } of listNetworkNamespaces({ procRoot: "/proc" })) {
    if (kind === "process") inhabited.add(inum);
  }
  await removeNamespaces(names.filter((name) => !inhabited.has(statSync(join(NETNS_DIR, name)).ino)));
}

/** Packet loss on arrival, in percent by port, since not every kernel has netem. */
function rules(end: "client" | "server"): string {
  const { bulk, request, awful, closed } = DEMO_PORTS;
  const port = end === "server" ? "dport" : "sport";
  const loss = (number: number, percent: number) =>
    `    tcp ${port} ${number} numgen random mod 100 < ${percent} drop\n`;
  return `table inet tcpretrans-demo {
  chain arriving {
    type filter hook prerouting priority -300; policy accept;
${loss(bulk, 2)}${loss(request, 12)}${loss(awful, 35)}    tcp ${port} ${closed} drop
  }
}
`;
}

function addAddress(address: string): string {
  return `addr add ${address} dev ${LINK}${address.includes(":") ? " nodad" : ""}`;
}

function batch(options: readonly string[], commands: readonly string[], signal: AbortSignal): Promise<void> {
  return runTool("ip", [...options, "-batch", "-"], { signal, input: `${commands.join("\n")}\n` });
}

/** Deleting goes on over a name that is already gone. */
async function removeNamespaces(names: readonly string[]): Promise<void> {
  for (const name of names) {
    if (existsSync(join(NETNS_DIR, name))) await runTool("ip", ["netns", "del", name], {});
  }
}

interface RunOptions {
  readonly signal?: AbortSignal;
  readonly input?: string;
}

/** Runs a program to its end; throws an Error with its first words when it fails. */
async function runTool(
  tool: string,
  args: readonly string[],
  { signal, input = "" }: RunOptions,
): Promise<void> {
  const { spawn } = process.getBuiltinModule("node:child_process"); // 3 MB that a trace does without
  const child = spawn(tool, args, { stdio: ["pipe", "ignore", "pipe"], ...(signal && { signal }) });
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  let words = "";
  child.on("error", reject).on("close", resolve);
  child.stderr.setEncoding("utf8").on("data", (text: string) => (words += text));
  child.stdin.on("error", () => {}); // it ended before it read all: its exit code tells
  child.stdin.end(input);
  const code = await promise;
  if (code !== 0) throw new Error(`${tool} says ${JSON.stringify(words.split("\n")[0] ?? "")}`);
}

function isOwnerDead(name: string): boolean {
  const [, pid, startTime] = NAME.exec(name) ?? [];
  return pid !== undefined && startTimeOf(pid) !== startTime;
}

/** Clock ticks from boot to the start of a process (field 22, proc_pid_stat(5)); undefined when there is none. */
function startTimeOf(pid: string): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold anything: fields are counted behind it.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
