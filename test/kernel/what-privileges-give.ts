/** Prints as JSON what this process may see and do: run by capabilities.host.ts with few capabilities, as in the chart's pod. */
import { HostOwners } from "../../src/host/host-owners.ts";
import { readKernelFunctions } from "../../src/host/kernel-functions.ts";
import { NamespaceCounterReader } from "../../src/host/namespace-counters.ts";
import { readNamespaceInum } from "../../src/host/network-namespaces.ts";
import { openHostConntrack } from "../../src/host/open-host-conntrack.ts";
import { openLibc } from "../../src/syscall/libc.ts";
import { Instance } from "../../src/tracefs/instance.ts";
import { openTracefs } from "../../src/tracefs/mount.ts";

const [otherPid = "", netnsMount = ""] = process.argv.slice(2);
const procRoot = "/proc";
const libc = openLibc();

using host = new HostOwners({
  procRoot,
  netnsPath: "/var/run/netns",
  libc,
  now: () => performance.now(),
  unixMs: Date.now,
});
using conntrack = openHostConntrack({ procRoot, libc });
const inum = Number(process.argv[4]);
const reader = new NamespaceCounterReader({ procRoot, libc });
const counters = await reader.read({ kind: "mount", inum, path: netnsMount });
const facts = {
  captures: captures(),
  functions: readKernelFunctions({ procRoot }, ["tcp_retransmit_timer"]) !== undefined,
  cgroups: host.cgroupMethod,
  othersNamespace: readNamespaceInum(Number(otherPid), { procRoot }) !== undefined,
  mountedCounters: counters.kind,
  conntrack: conntrack.way,
};
console.log(JSON.stringify(facts));

/** Makes an instance and enables the tracepoint. */
function captures(): boolean {
  using tracefs = openTracefs({ libc });
  using instance = Instance.create(tracefs, { bufferSizeKb: 8, libc });
  instance.enable("tcp", "tcp_retransmit_skb");
  return instance.armed([{ group: "tcp", event: "tcp_retransmit_skb" }]).missing.length === 0;
}
