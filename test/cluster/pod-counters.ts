import { parseTcpCounters, type TcpCounters } from "../../src/host/tcp-counters.ts";
import type { NodePlace } from "../lab/cluster/cluster.ts";
import { NESTED_NODES, SIBLING_NODES } from "../lab/cluster/plan.ts";

/** What the kernel has counted in the network namespace of each pod that has its own, by the pod's name. */
export type PodCounters = ReadonlyMap<string, TcpCounters>;

/**
 * Prints each pod's counters; its process has the pod's name in its environment. A pod that shares the node's namespace is left out, and so
 * is one of the nodes in OTHERS: a kernel's own node sees the processes of those that share it.
 */
const READ = `
own=$(readlink /proc/self/ns/net)
for file in $(grep -laz '^POD=' /proc/[0-9]*/environ 2>/dev/null); do
  dir=\${file%/environ}
  [ "$(readlink "$dir/ns/net")" != "$own" ] || continue
  ! grep -qE ":/($OTHERS)/" "$dir/cgroup" || continue
  echo "POD $(tr '\\0' '\\n' < "$file" | sed -n 's/^POD=//p')"
  cat "$dir/net/snmp" && echo NETSTAT && cat "$dir/net/netstat"
done`;

/** Reads them on a node. */
export async function readPodCounters({ plan, runner, entry }: NodePlace): Promise<PodCounters> {
  const others = [...NESTED_NODES, ...SIBLING_NODES].filter((other) => other !== plan);
  const names = others.map(({ name }) => name).join("|");
  const text = await runner.exec([...entry, "env", `OTHERS=${names}`, "sh", "-c", READ]);
  const parts = text.split(/^POD /m).slice(1);
  return new Map(
    parts.map((part) => {
      const [name = "", ...rest] = part.split("\n");
      const [snmp = "", netstat = ""] = rest.join("\n").split("NETSTAT\n");
      const counters = parseTcpCounters(snmp, netstat);
      if (counters === undefined) throw new Error(`Cannot read the counters of pod ${name}: ${part}`);
      return [name, counters];
    }),
  );
}

/** Stops every process of the pods with SIGSTOP: they send nothing new, and the kernel goes on with what is sent; or lets them go on. */
export async function signalPods({ runner, entry }: NodePlace, signal: "STOP" | "CONT"): Promise<void> {
  const pids = "$(grep -laz '^POD=' /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3)";
  // One that has ended meanwhile is none the less stopped.
  await runner.exec([...entry, "sh", "-c", `for pid in ${pids}; do kill -${signal} $pid || true; done`]);
}

/** Takes a step while the nodes' pods stand still. */
export async function atRest<T>(places: readonly NodePlace[], step: () => Promise<T>): Promise<T> {
  const signal = (name: "STOP" | "CONT") => Promise.all(places.map((place) => signalPods(place, name)));
  await signal("STOP");
  try {
    return await step();
  } finally {
    await signal("CONT");
  }
}
