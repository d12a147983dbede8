import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../lab/cluster/cluster.ts";
import { type DualStack, hostPort, NODE_A } from "../lab/cluster/plan.ts";
import { until } from "../lab/cluster/until.ts";
import type { NodeWatch } from "./node-watch.ts";
import type { Check } from "./report.ts";
import { Talk, tallyNames } from "./talk.ts";
import type { TrafficLog } from "./traffic-log.ts";
import { createPod, PODS, podAddresses, podTemplate, runningPod } from "./workloads.ts";

const JOBS = "/apis/batch/v1/namespaces/default/jobs";
const PORT = 20_110;
const SERVER = "takeover-server";
const HEIR = "heir";
const JOB = "once";
const RUN_SECONDS = 12;
const HEIR_MS = 15_000;

/** A Job's pod completes and stays in the API with its address; a new pod takes that address and talks to the same server. */
export async function takeOver(cluster: Cluster): Promise<void> {
  const { api, ipamDir, b } = cluster;
  await createPod(cluster, SERVER, { node: b.plan, args: [`-listen=${PORT}-${PORT}`] });
  const server = podAddresses(await runningPod(cluster, SERVER));
  const connect = `-connect=take4=${hostPort(server.v4, PORT)},take6=${hostPort(server.v6, PORT)}`;
  const template = podTemplate({ node: NODE_A, args: [connect, `-for=${RUN_SECONDS}`] });
  await api.create(JOBS, {
    metadata: { name: JOB },
    spec: { template: { ...template, spec: { ...template.spec, restartPolicy: "Never" } } },
  });
  const done = await until(
    "the job's pod to complete",
    async () => {
      const pods = await api.list(`${PODS}?labelSelector=job-name=${JOB}`);
      return pods.find(({ status }) => status.phase === "Succeeded" && status.podIPs?.length === 2);
    },
    { timeoutMs: 300_000, everyMs: 300 },
  );
  const addresses = podAddresses(done);
  await until("the job's address to be free", () => !isTaken(ipamDir, addresses), { timeoutMs: 180_000 });
  giveNext(ipamDir, addresses);
  await createPod(cluster, HEIR, { node: NODE_A, args: [connect] });
  const heir = podAddresses(await runningPod(cluster, HEIR));
  if (heir.v4 !== addresses.v4 || heir.v6 !== addresses.v6)
    throw new Error(
      `Cannot take over ${addresses.v4} and ${addresses.v6}: ${HEIR} has ${heir.v4} and ${heir.v6}`,
    );
  await sleep(HEIR_MS);
}

/** Each connection's pod is named, whoever else had the address. */
export function judgeTakeover(log: TrafficLog, watchers: readonly NodeWatch[]): readonly Check[] {
  const talk = new Talk(log);
  return watchers.map((watcher) => {
    const isClient = watcher.place.plan === NODE_A;
    const tallies = tallyNames(talk, watcher.lines(), { low: PORT, high: PORT });
    const { right, wrong, unknown, pods, examples } = isClient ? tallies.source : tallies.destination;
    const both = [...pods].some((pod) => pod === HEIR) && [...pods].some((pod) => pod.startsWith(JOB));
    const shown = `${right} right, ${wrong} wrong, ${unknown} unknown`;
    const problem =
      both && wrong === 0 ? undefined : `${shown} of ${[...pods]}: ${examples.slice(0, 5).join("; ")}`;
    const subject = `a completed Job's address taken over, ${isClient ? "client" : "server"}'s end`;
    return { subject, column: watcher.place.rung, problem, shown };
  });
}

function isTaken(ipamDir: string, { v4, v6 }: DualStack): boolean {
  return [v4, v6].some((address) => existsSync(join(ipamDir, address)));
}

/** The IPAM goes on behind the address that it gave last. */
function giveNext(ipamDir: string, addresses: DualStack): void {
  for (const file of readdirSync(ipamDir).filter((name) => name.startsWith("last_reserved_ip."))) {
    const isV6 = readFileSync(join(ipamDir, file), "utf8").includes(":");
    writeFileSync(join(ipamDir, file), before(isV6 ? addresses.v6 : addresses.v4));
  }
}

/** The address before one of a pod range, of either family. */
function before(address: string): string {
  const [separator, radix] = address.includes(":") ? [":", 16] : [".", 10];
  const at = address.lastIndexOf(separator) + 1;
  return address.slice(0, at) + (Number.parseInt(address.slice(at), radix) - 1).toString(radix);
}
