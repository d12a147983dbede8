import { until } from "../lab/cluster/until.ts";
import { agentNow, podIs, type Release } from "./life-release.ts";
import { leftOn, type Remains, readRemains } from "./node-remains.ts";
import type { Check } from "./report.ts";

/** Less than Node itself takes. */
const TOO_LITTLE = 24 * 1024 * 1024;
const OOM_MS = 120_000;

/**
 * Prints a container's first process and its memory cgroup, of the pod with a uid. On cgroup v2 a limit below what is used kills; v1
 * refuses it, so there the limit is set to what is used, and the next page kills.
 */
const FIND = `
for dir in /proc/[0-9]*; do
  grep -q "pod$POD_UID" "$dir/cgroup" 2>/dev/null && tr '\\0' ' ' < "$dir/cmdline" | grep -q 'tcpretrans.js agent' || continue
  v2=$(sed -n 's/^0:://p' "$dir/cgroup"); v1=$(sed -n 's/^[0-9]*:memory://p' "$dir/cgroup")
  if [ -n "$v1" ]; then echo "\${dir#/proc/} /sys/fs/cgroup/memory$v1 memory.limit_in_bytes"
  else echo "\${dir#/proc/} /sys/fs/cgroup$v2 memory.max"; fi
  break
done`;

interface Victim {
  readonly pid: number;
  /** Of the container; the pod's is its parent. */
  readonly cgroup: string;
  readonly limitFile: "memory.max" | "memory.limit_in_bytes";
}

/** The kernel kills the agent for its memory: the next start leaves nothing of the dead one on the node. */
export async function judgeOomKill(release: Release): Promise<readonly Check[]> {
  const { chart, place } = release;
  const agent = await agentNow(chart);
  const { name, uid = "" } = agent.pod.metadata;
  const before = await readRemains(place);
  const victim = await findVictim(release, uid);
  const restarts = restartsOf(agent.pod.status);
  await until(
    "the end of the agent",
    async () => {
      await squeeze(release, victim);
      // Requests make it take memory.
      void agent.metricsText().catch(() => {});
      return !(await isAlive(release, victim));
    },
    { timeoutMs: OOM_MS, everyMs: 200 },
  );
  const pod = await podIs(release, "the next start", ({ metadata, status }) => {
    const [container] = status.containerStatuses ?? [];
    return metadata.name === name && container?.restartCount > restarts && container.ready;
  });
  const reason = pod.status.containerStatuses[0].lastState?.terminated?.reason;
  const now = await readRemains(place);
  const [dead] = before.agents;
  const stays = [...now.agents, ...now.probes].filter((line) => line.includes(String(dead?.slice(-8))));
  const problems = [
    ...(before.agents.length === 1 ? [] : [`there were ${before.agents.length} agents before`]),
    ...(now.agents.length === 1
      ? []
      : [`there are ${now.agents.length} agents after: ${now.agents.join(" ")}`]),
    ...stays.map((line) => `of the dead one: ${line}`),
    ...(reason === "OOMKilled" ? [] : [`the reason is ${reason}`]),
  ];
  return [
    {
      subject:
        "an agent that the kernel kills for its memory is started anew, and nothing of the dead one is left",
      column: place.rung,
      problem: problems.join("; ") || undefined,
      shown: `${reason}; ${victim.limitFile}`,
    },
  ];
}

/** The pod may take so little from now on that no start succeeds; then the release is removed. */
export async function judgeUninstallInCrashLoop(release: Release): Promise<readonly Check[]> {
  const { chart, place } = release;
  const agent = await agentNow(chart);
  const { uid = "" } = agent.pod.metadata;
  const victim = await findVictim(release, uid);
  await starve(release, victim);
  // Soon: another tcpretrans that starts on this kernel would clean up too.
  const behind = await readRemains(place);
  const pod = await podIs(release, "CrashLoopBackOff", ({ status }) => {
    const { waiting } = status.containerStatuses?.[0]?.state ?? {};
    return waiting?.reason === "CrashLoopBackOff";
  });
  const { reason } = pod.status.containerStatuses[0].lastState?.terminated ?? {};
  const started = performance.now();
  await chart.uninstall();
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  return [
    {
      subject: "a killed agent that cannot start again leaves what the cleaner is for",
      column: place.rung,
      problem: behind.agents.length === 1 ? undefined : `agents: ${behind.agents.join(" ")}`,
      shown: `${count(behind)}; ${reason}`,
    },
    {
      subject:
        "uninstalled in CrashLoopBackOff, the cleaner runs and no probe, instance, mount or file of ours is on the node",
      column: place.rung,
      problem: await leftOn(place, release.before),
      shown: `${seconds} s`,
    },
  ];
}

function count({ agents, probes }: Remains): string {
  return `${agents.length} instance, ${probes.length} probes`;
}

async function findVictim({ place: { runner, entry } }: Release, uid: string): Promise<Victim> {
  const text = await runner.exec([...entry, "env", `POD_UID=${uid}`, "sh", "-c", FIND]);
  const [pid = "", cgroup = "", file = ""] = text.trim().split(" ");
  if (cgroup === "" || (file !== "memory.max" && file !== "memory.limit_in_bytes"))
    throw new Error(`Cannot find the agent of pod ${uid}: ${text}`);
  return { pid: Number(pid), cgroup, limitFile: file };
}

/** Lowers the container's limit as far as the kernel lets it. */
async function squeeze({ place: { runner, entry } }: Release, { limitFile, cgroup }: Victim): Promise<void> {
  const script =
    limitFile === "memory.max"
      ? `echo ${TOO_LITTLE} > "$0/memory.max"`
      : `echo ${TOO_LITTLE} > "$0/${limitFile}" || echo $(( $(cat "$0/memory.usage_in_bytes") + 65536 )) > "$0/${limitFile}"`;
  await runner.exec([...entry, "sh", "-c", `{ ${script}; } 2>/dev/null || true`, cgroup]);
}

/** Kills the agent, and leaves its pod too little memory for another start, which comes at once. */
async function starve(
  { place: { runner, entry } }: Release,
  { pid, limitFile, cgroup }: Victim,
): Promise<void> {
  const limit = `echo ${TOO_LITTLE} > "$0/${limitFile}"`;
  const script =
    limitFile === "memory.max"
      ? limit
      : `kill -KILL ${pid}; for i in $(seq 200); do ${limit} && exit; sleep 0.02; done 2>/dev/null; exit 1`;
  await runner.exec([...entry, "sh", "-c", script, cgroup.replace(/\/[^/]+$/, "")]);
}

async function isAlive({ place: { runner, entry } }: Release, { pid }: Victim): Promise<boolean> {
  const text = await runner.exec([...entry, "sh", "-c", `cat /proc/${pid}/cmdline 2>/dev/null || true`]);
  return text.includes("tcpretrans");
}

// biome-ignore lint/suspicious/noExplicitAny: a pod's status
function restartsOf(status: any): number {
  return status.containerStatuses?.[0]?.restartCount ?? 0;
}
