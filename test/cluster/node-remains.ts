import { nodeMark, parseInstanceName } from "../../src/tracefs/names.ts";
import type { NodePlace } from "../lab/cluster/cluster.ts";
import { until } from "../lab/cluster/until.ts";

/** What of ours is on a node, as its own programs see it. */
export interface Remains {
  /** Of agents of this node, by name. */
  readonly agents: readonly string[];
  /** Of runs on a terminal, and of the cleaner. */
  readonly others: readonly string[];
  /** Lines of kprobe_events and dynamic_events. */
  readonly probes: readonly string[];
  /** Mounts of tracefs. */
  readonly mounts: readonly string[];
  readonly files: readonly string[];
}

/** Reads by a mount of its own, which goes with the shell; each line says what it is. */
const READ = `
mount -t tracefs reader /mnt
ls /mnt/instances | sed 's/^/instance /'
cat /mnt/kprobe_events /mnt/dynamic_events 2>/dev/null | grep tcpretrans_ | sort -u | sed 's/^/probe /'
grep ' - tracefs ' /proc/self/mountinfo | grep -v ' /mnt ' | cut -d' ' -f5 | sort | sed 's/^/mount /'
ls -d /run/tcpretrans* /var/lib/tcpretrans* /var/log/tcpretrans* /etc/tcpretrans* /tmp/tcpretrans-tracefs-* 2>/dev/null | sed 's/^/file /'
true`;

export async function readRemains({ runner, entry, plan }: NodePlace): Promise<Remains> {
  const text = await runner.exec([...entry, "unshare", "--mount", "sh", "-c", READ]);
  const of = (what: string) =>
    text
      .split("\n")
      .filter((line) => line.startsWith(`${what} `))
      .map((line) => line.slice(what.length + 1));
  const mark = nodeMark(plan.name);
  const ours = of("instance").filter((name) => parseInstanceName(name) !== undefined);
  return {
    agents: ours.filter((name) => parseInstanceName(name)?.agent?.node === mark),
    others: ours.filter((name) => parseInstanceName(name)?.agent === undefined),
    probes: of("probe"),
    mounts: of("mount"),
    files: of("file"),
  };
}

/** Waits until a node has nothing of ours but what it had before; says what there is still. Other programs of this machine come and go. */
export async function leftOn(place: NodePlace, before: Remains): Promise<string | undefined> {
  let left: readonly string[] = [];
  const isClean = async () => {
    const now = await readRemains(place);
    left = Object.entries(before).flatMap(([what, had]) =>
      now[what as keyof Remains].filter((one) => !had.includes(one)).map((one) => `${what}: ${one}`),
    );
    return left.length === 0;
  };
  await until(`${place.plan.name} to be clean`, isClean, { timeoutMs: 60_000, everyMs: 1_000 }).catch(
    () => {},
  );
  return left.join("; ") || undefined;
}
