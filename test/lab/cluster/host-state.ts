import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../run.ts";

/** What of this machine a cluster touches, as lines; compared before and after, nothing may be new or gone. */
export type HostState = Readonly<Record<string, readonly string[]>>;

/** Directories in which containerd, kubelet, CNI and ip make entries. */
const DIRECTORIES = [
  "/run",
  "/run/netns",
  "/var/lib",
  "/var/log",
  "/var/run",
  "/opt",
  "/etc",
  "/usr/libexec",
];
/** Settings of the kernel that change by themselves. */
const RESTLESS =
  /\/(random|fs|dev|ns_last_pid|pty|sched_domain|.*_count|flush|.*mtu_expires|stat_refresh|.*cache.*|.*avail.*)/;
/** Lifetimes and counters within the lines of ip. */
const RESTLESS_WORDS = / (expires|valid_lft|preferred_lft|age|qlen|users|used|hoplimit|cwnd|rtt|rttvar) \S+/g;

export async function readHostState(labDir: string): Promise<HostState> {
  return {
    links: await lines("ip", ["-o", "-br", "link"]),
    addresses: await lines("ip", ["-o", "addr"]),
    routes: [...(await lines("ip", ["route"])), ...(await lines("ip", ["-6", "route"]))],
    rules: [...(await lines("ip", ["rule"])), ...(await lines("ip", ["-6", "rule"]))],
    tables: await lines("nft", ["list", "tables"]),
    mounts: readFileSync("/proc/self/mountinfo", "utf8").trim().split("\n"),
    cgroups: directoriesBelow("/sys/fs/cgroup").filter((path) => path.includes("kubepods")),
    entries: DIRECTORIES.flatMap((dir) =>
      existsSync(dir) ? readdirSync(dir).map((name) => join(dir, name)) : [],
    ),
    processes: clusterProcesses(labDir),
    settings: ["net", "vm", "kernel"].flatMap((name) => settingsBelow(join("/proc/sys", name))),
  };
}

/** What other programs on the machine take away on their own. */
const MAY_GO = ["mounts", "cgroups", "entries", "processes"];

/** Says what is new, and what of the network and the kernel's settings is gone. */
export function compareHostStates(before: HostState, after: HostState): readonly string[] {
  return Object.entries(before).flatMap(([what, old]) => {
    const now = after[what] ?? [];
    const [had, has] = [new Set(old), new Set(now)];
    return [
      ...now.filter((line) => !had.has(line)).map((line) => `${what}: new: ${line}`),
      ...(MAY_GO.includes(what) ? [] : old)
        .filter((line) => !has.has(line))
        .map((line) => `${what}: gone: ${line}`),
    ];
  });
}

/** Processes of a cluster under `labDir`, by their command lines. */
function clusterProcesses(labDir: string): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => `${pid} ${readText(`/proc/${pid}/cmdline`).replaceAll("\0", " ")}`)
    .filter((line) => line.includes(join(labDir, "cluster/")));
}

function directoriesBelow(root: string): readonly string[] {
  const found = readdirSync(root, { withFileTypes: true, recursive: true });
  return found.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}

function settingsBelow(root: string): readonly string[] {
  return readdirSync(root, { withFileTypes: true, recursive: true })
    .map((entry) => ({ path: join(entry.parentPath, entry.name), isFile: entry.isFile() }))
    .filter(({ path, isFile }) => isFile && !RESTLESS.test(path))
    .map(({ path }) => `${path} ${readText(path).trim()}`);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // write-only, or gone meanwhile
  }
}

async function lines(program: string, args: readonly string[]): Promise<readonly string[]> {
  const text = await run(program, args);
  return text
    .split("\n")
    .map((line) =>
      line
        .replaceAll(RESTLESS_WORDS, "")
        .replace(/^\d+: /, "")
        .trim(),
    )
    .filter(Boolean);
}
