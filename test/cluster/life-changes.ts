import { setTimeout as sleep } from "node:timers/promises";
import type { Received } from "../export/otlp/decode-otlp.ts";
import type { ChartAgent } from "./chart-agent.ts";
import { agentNow, podIs, type Release, recordsFrom, rolledOut, valuesOf } from "./life-release.ts";
import type { Check } from "./report.ts";

/** What the least that the agent can do with is written as in values.yaml. */
export const LEAST: Readonly<Record<string, string>> = {
  privileged: "false",
  "config.kubernetes.serviceCidrs": "true",
};

/** So long a Collector is away. */
const AWAY_MS = 6_000;

/** The Collector stops and comes back at the same address. */
export async function moveCollector({ collector }: Release["telemetry"]): Promise<void> {
  await collector.down();
  await sleep(AWAY_MS);
  await collector.up();
}

/**
 * Upgrades to changed values, another Collector among them, while packets are lost: the new pod captures before the old one
 * ends, without `privileged`, and does what the old one did.
 */
export async function judgeUpgrade(release: Release, endpoint: string): Promise<readonly Check[]> {
  const { chart, place } = release;
  const old = await agentNow(chart);
  await chart.upgrade({ ...valuesOf(place, endpoint), ...LEAST });
  const agent = await rolledOut(release);
  const records = await recordsFrom(release, agent.pod.metadata.name, 12);
  return [
    judgeRoll(release, old, agent),
    judgePrivileges(release, agent),
    judgeSight(release, records),
    await judgeHandover(release, agent),
  ];
}

function judgeRoll({ place }: Release, old: ChartAgent, agent: ChartAgent): Check {
  const sums = [old, agent].map(({ pod }) => annotation(pod, "checksum/config"));
  const isNew = old.pod.metadata.name !== agent.pod.metadata.name && sums[0] !== sums[1] && sums[1] !== "";
  const subject = "changed values change the checksum of the configuration, which makes the pods anew";
  return { subject, column: place.rung, problem: isNew ? undefined : sums.join(" ") };
}

function judgePrivileges({ place }: Release, { pod }: ChartAgent): Check {
  const { privileged, capabilities } = pod.spec.containers[0].securityContext;
  const isLeast = privileged === false && capabilities.drop[0] === "ALL";
  return {
    subject: "without privileged the pod is ready",
    column: place.rung,
    problem: isLeast ? undefined : JSON.stringify(pod.spec.containers[0].securityContext),
    shown: capabilities?.add?.join(" "),
  };
}

/** Names of both ends, and the rung that the node's kernel can have. */
function judgeSight({ place }: Release, records: readonly Received[]): Check {
  const rungs = new Set(records.map(({ attributes }) => attributes["probe.rung"]));
  const named = records.filter(
    ({ attributes }) =>
      attributes["source.k8s.pod.name"] !== undefined &&
      attributes["destination.k8s.workload.name"] !== undefined,
  );
  const shown = `${[...rungs].join(" ")}; both ends of ${named.length} of ${records.length}`;
  const isRight = rungs.size === 1 && rungs.has(place.rung) && named.length > records.length / 2;
  const subject = "without privileged it is the same rung, and both ends have names";
  return { subject, column: place.rung, problem: isRight ? undefined : shown, shown };
}

/** The new pod says from when it counts. */
async function judgeHandover({ place }: Release, agent: ChartAgent): Promise<Check> {
  const lines = (await agent.readLog()).split("\n").filter((line) => line.includes('"handover"'));
  const told = lines.map((line) => JSON.parse(line).msg).join("; ");
  const subject = "the new pod waits for the old one, and says from when it counts";
  return {
    subject,
    column: place.rung,
    problem: lines.length >= 2 ? undefined : `its log says: ${told}`,
    shown: told,
  };
}

/** Upgrades to an image that is nowhere: the old pod goes on, and a rollback takes the new one away. */
export async function judgeBadTag(release: Release, endpoint: string): Promise<readonly Check[]> {
  const { chart, place } = release;
  const old = await agentNow(chart);
  const { name } = old.pod.metadata;
  await chart.upgrade({
    ...valuesOf(place, endpoint),
    ...LEAST,
    // Nothing listens there.
    "image.repository": "127.0.0.1:9/tcpretrans",
    "image.tag": "no-such-tag",
    "image.pullPolicy": "Always",
  });
  const bad = await podIs(release, "a failed pull", ({ status }) =>
    /Err|BackOff/.test(status.containerStatuses?.[0]?.state?.waiting?.reason ?? ""),
  );
  const { reason } = bad.status.containerStatuses[0].state.waiting;
  const went = await recordsFrom(release, name).then(
    (records) => ({ problem: undefined, shown: `${reason}; ${records.length} records meanwhile` }),
    (error: Error) => ({ problem: error.message, shown: reason as string }),
  );
  await chart.helm(["rollback", chart.release, "--wait", "--timeout", "300s"]);
  const now = await rolledOut(release);
  const stayed = now.pod.metadata.uid === old.pod.metadata.uid && restarts(now) === 0;
  return [
    {
      subject: "an image that cannot be pulled leaves the old pod, which captures",
      column: place.rung,
      ...went,
    },
    {
      subject: "helm rollback takes the pod without an image away, and does not touch the old one",
      column: place.rung,
      problem: stayed ? undefined : `the pod is ${now.pod.metadata.name}, it was ${name}`,
    },
  ];
}

/** Without any capability: what each is for is tried in test/kernel/capabilities.host.ts; here what no pod may lose. */
export async function judgeNoCapability(release: Release, endpoint: string): Promise<readonly Check[]> {
  const { chart, place } = release;
  await chart.upgrade({ ...valuesOf(place, endpoint), ...LEAST, capabilities: "null" });
  const agent = await rolledOut(release);
  const all = await recordsFrom(release, agent.pod.metadata.name, 24);
  // Who is behind a Service is told by the host's connection tracking, which takes CAP_NET_ADMIN.
  const records = all.filter(({ attributes }) => attributes["destination.k8s.service.name"] === undefined);
  const { add = [] } = agent.pod.spec.containers[0].securityContext.capabilities;
  const causes = [...new Set(records.map(({ attributes }) => attributes["network.tcp.retransmit.type"]))];
  const hasCause = place.rung === "kprobe" || causes.join(" ") === "other";
  const isRight = add.length === 0 && hasCause && judgeSight(release, records).problem === undefined;
  const shown = `capabilities: ${add.length}; causes: ${causes.join(" ")}; ${judgeSight(release, records).shown}`;
  const subject =
    "without any capability the pod is ready, captures and names both ends, and costs what values.yaml tells";
  return [{ subject, column: place.rung, problem: isRight ? undefined : shown, shown }];
}

// biome-ignore lint/suspicious/noExplicitAny: a pod
function annotation(pod: any, name: string): string {
  return pod.metadata.annotations?.[name] ?? "";
}

function restarts({ pod }: ChartAgent): number {
  return pod.status.containerStatuses?.[0]?.restartCount;
}
