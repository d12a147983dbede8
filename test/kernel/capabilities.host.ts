import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parse } from "yaml";
import { openLibc } from "../../src/syscall/libc.ts";
import { openTracefs } from "../../src/tracefs/mount.ts";

/** What the chart's container adds where it is not privileged. */
const CHART = join(import.meta.dirname, "../../charts/tcpretrans/values.yaml");
const CAPABILITIES: readonly string[] = parse(readFileSync(CHART, "utf8")).capabilities;
const NETNS = `tcpretrans-caps-${process.pid}`;

let other: ChildProcess;
let otherPid: number;
/** Mounted by whoever may: without SYS_ADMIN a container uses the host's. */
let tracefs: Disposable;

before(async () => {
  tracefs = openTracefs({ libc: openLibc() });
  execFileSync("ip", ["netns", "add", NETNS]);
  // A process of another user in another namespace, as most pods' are.
  const user = ["--reuid=65534", "--regid=65534", "--clear-groups"];
  const args = [
    "--net",
    "setpriv",
    ...user,
    process.execPath,
    "--eval",
    "console.log(process.pid); setInterval(() => {}, 1e9)",
  ];
  other = spawn("unshare", args, { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(other.stdout!, "data");
  otherPid = Number(String(line));
});

after(() => {
  tracefs[Symbol.dispose]();
  other.kill("SIGKILL");
  execFileSync("ip", ["netns", "delete", NETNS]);
});

/** Asks a root process in a network namespace of its own that has only these capabilities. */
function ask(capabilities: readonly string[]): Readonly<Record<string, unknown>> {
  const bounding = ["-all", ...capabilities.map((name) => `+${name.toLowerCase()}`)].join(",");
  const path = `/var/run/netns/${NETNS}`;
  const script = join(import.meta.dirname, "what-privileges-give.ts");
  const node = [process.execPath, "--disable-warning=ExperimentalWarning", script, String(otherPid), path];
  const few = ["setpriv", "--no-new-privs", "--inh-caps=-all", `--bounding-set=${bounding}`];
  const text = execFileSync("unshare", ["--net", ...few, ...node, String(statSync(path).ino)], {
    encoding: "utf8",
  });
  return JSON.parse(text);
}

const EVERYTHING = {
  captures: true,
  functions: true,
  cgroups: "handle",
  othersNamespace: true,
  mountedCounters: "read",
  conntrack: "netlink",
};

/** Most of them serve system calls that Node 24 cannot make; the image has Node 26. */
const skip = openLibc() === undefined;

test("the chart's capabilities are enough to see everything", { skip }, () => {
  assert.deepEqual(ask(CAPABILITIES), EVERYTHING);
});

/** What is lost with each. */
const LOST: Readonly<Record<string, Partial<typeof EVERYTHING>>> = {
  DAC_READ_SEARCH: { cgroups: "walk" },
  SYS_PTRACE: { othersNamespace: false, conntrack: "proc" },
  SYS_ADMIN: { mountedCounters: "unreadable", conntrack: "proc" },
  NET_ADMIN: { conntrack: "proc" },
  SYSLOG: { functions: false },
};

test("every capability of the chart has a reason here", () => {
  assert.deepEqual(CAPABILITIES.toSorted(), Object.keys(LOST).toSorted());
});

for (const [capability, lost] of Object.entries(LOST)) {
  test(`without ${capability} the agent sees less, and captures all the same`, { skip }, () => {
    const rest = CAPABILITIES.filter((name) => name !== capability);
    assert.deepEqual(ask(rest), { ...EVERYTHING, ...lost });
  });
}

test("without any capability the agent captures", () => {
  const { captures } = ask([]);
  assert.equal(captures, true);
});
