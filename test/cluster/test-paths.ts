import type { Cluster, NodePlace } from "../lab/cluster/cluster.ts";
import {
  endLossOnNode,
  endLossOnWire,
  endLossOutside,
  loseOnNode,
  loseOnWire,
  loseOutside,
} from "../lab/cluster/loss.ts";
import { type DualStack, NODE_A, NODE_B, OUTSIDE } from "../lab/cluster/plan.ts";
import { until } from "../lab/cluster/until.ts";

import type { LineEnd, NamedLine } from "./named-line.ts";
import type { NodeWatch } from "./node-watch.ts";
import {
  clientPod,
  differs,
  type Expected,
  localEnd,
  portsOf,
  ROW_NODE_PORTS,
  ROW_PORTS,
  ROWS,
  type Row,
  SPARE_PORT,
  serverPod,
  side,
  targetOf,
} from "./paths.ts";
import type { Check } from "./report.ts";
import type { TrafficLog } from "./traffic-log.ts";
import { createPod, createService, PODS, podAddresses, runningPod } from "./workloads.ts";

/** What of the paths' traffic the other groups use too. */
export interface PathWorkloads {
  readonly services: Readonly<Record<string, DualStack>>;
  readonly pods: Readonly<Record<string, DualStack>>;
}

const LOSS_PERCENT = 20;
const FEWEST_LINES = 3;
/** Of a path's events on a node that learns of pods in time. */
const MOST_UNKNOWN = 0.1;

/** Makes the servers, services and clients of every row; every row's connection is open when it returns. */
export async function openPaths(cluster: Cluster, log: TrafficLog): Promise<PathWorkloads> {
  const listen = [`-listen=${ROW_PORTS.low}-${SPARE_PORT}`];
  const services: Record<string, DualStack> = {};
  const servers: string[] = [];
  for (const node of [NODE_A, NODE_B]) {
    const s = side(node);
    for (const [name, hostNetwork] of [
      [`server-${s}`, false],
      [`host-server-${s}`, true],
    ] as const) {
      servers.push(name);
      await createPod(cluster, name, { node, hostNetwork, labels: { app: name }, args: listen });
    }
    const rows = ROWS.filter(({ server, path }) => server === node && !path.outside);
    const named = (text: string) => rows.filter(({ path }) => path.name.includes(text));
    const local = named("policy Local");
    const host = named("hostNetwork server");
    const web = rows.filter((row) => !local.includes(row) && !host.includes(row));
    services[`web-${s}`] = await createService(cluster, `web-${s}`, {
      app: `server-${s}`,
      ports: web.map(ports),
    });
    services[`local-${s}`] = await createService(cluster, `local-${s}`, {
      app: `server-${s}`,
      ports: local.map(ports),
      localPolicy: true,
    });
    const plain = host.map(({ port }) => ({ port }));
    services[`host-${s}`] = await createService(cluster, `host-${s}`, {
      app: `host-server-${s}`,
      ports: plain,
    });
  }
  await serveOutside(cluster);
  const running = await Promise.all(
    servers.map(async (name) => [name, podAddresses(await runningPod(cluster, name))] as const),
  );
  const workloads = { services, pods: Object.fromEntries(running) };
  const clients = [...new Set(ROWS.map(clientPod))];
  for (const name of clients) {
    const rows = ROWS.filter((row) => clientPod(row) === name);
    const targets = rows.map((row) => `${labelOf(row)}=${targetOf(row, workloads)}`);
    const [{ client: node, path } = ROWS[0]!] = rows;
    await createPod(cluster, name, {
      node,
      hostNetwork: path.hostClient ?? false,
      args: [`-connect=${targets.join(",")}`],
    });
  }
  await until(
    "every path's connection",
    () => {
      const open = new Set(log.connections("open").map(({ label }) => label));
      const missing = ROWS.filter((row) => !open.has(labelOf(row)));
      if (missing.length > 0) throw new Error(`not open: ${missing.map(labelOf).join(" ")}`);
      return true;
    },
    { timeoutMs: 300_000, everyMs: 500 },
  );
  return workloads;
}

/** From now on packets are lost on every path. */
export async function startLoss({ a, b }: Cluster): Promise<void> {
  const everywhere = { low: ROW_PORTS.low, high: ROW_NODE_PORTS.high };
  await loseOnWire(LOSS_PERCENT, everywhere);
  await loseOutside(LOSS_PERCENT, portsOf(ROWS.filter(({ path }) => path.outside)));
  const hairpin = portsOf(ROWS.filter(({ path }) => path.oneNode));
  for (const { runner } of [a, b]) await loseOnNode(runner, LOSS_PERCENT, hairpin);
}

/** Ends the clients of every path. */
export async function closePaths({ api }: Cluster): Promise<void> {
  const clients = new Set(ROWS.map(clientPod));
  await Promise.all([...clients].map((name) => api.delete(`${PODS}/${name}`)));
}

export async function endLoss({ a, b }: Cluster): Promise<void> {
  await endLossOnWire();
  await endLossOutside();
  for (const { runner } of [a, b]) await endLossOnNode(runner);
}

/** Compares what both watchers said of every row, on both ends, until a time in Unix ms, with what can be known. */
export function judgePaths(
  log: TrafficLog,
  watchers: readonly NodeWatch[],
  untilMs: number,
): readonly Check[] {
  const opened = log.connections("open");
  const accepted = log.connections("accept");
  return watchers.flatMap((watcher) => {
    const said = watcher.lines().filter(({ time }) => time < untilMs);
    const lines = Map.groupBy(said, ({ local, peer }) => `${local} ${peer}`);
    const { place } = watcher;
    return ROWS.flatMap((row) => {
      const checks: Check[] = [];
      if (row.client === place.plan) {
        const own = opened.filter(({ label }) => label === labelOf(row));
        const found = own.flatMap(({ local, peer }) => lines.get(`${local} ${peer}`) ?? []);
        checks.push(judge(row, "client", { place, found }));
      }
      if (row.server === place.plan && !row.path.outside) {
        const own = accepted.filter(
          ({ pod, local }) => pod === serverPod(row) && local.endsWith(`:${row.port}`),
        );
        const found = own.flatMap(({ local, peer }) => lines.get(`${local} ${peer}`) ?? []);
        checks.push(judge(row, "server", { place, found }));
      }
      return checks;
    });
  });
}

function judge(
  row: Row,
  end: "client" | "server",
  { place, found }: { readonly place: NodePlace; readonly found: readonly NamedLine[] },
): Check {
  const peer = end === "client" ? row.path.clientSees(row) : row.path.serverSees(row);
  const own = localEnd(row, end, place.rung);
  const faults = new Map<string, number>();
  const count = (what: string | undefined) =>
    what !== undefined && faults.set(what, (faults.get(what) ?? 0) + 1);
  let unknown = 0;
  for (const line of found) {
    const isMiss = isLess(line.destination, peer);
    if (isMiss) unknown++;
    const local = differs(line.source, own);
    const remote = isMiss ? undefined : differs(line.destination, peer);
    count(local && `source: ${local}`);
    count(remote && `destination: ${remote}`);
  }
  const problems = [...faults].map(([what, times]) => `${what} (${times} of ${found.length})`);
  if (found.length - unknown < FEWEST_LINES)
    problems.push(`${found.length} events, ${unknown} of an unknown peer`);
  // A node that learns of others' pods late does not name them: emulated, that is often.
  const most = place.rung === "tracepoint" ? MOST_UNKNOWN : 1;
  if (unknown > found.length * most) problems.push(`destination: unknown (${unknown} of ${found.length})`);
  const named = found.filter(({ destination }) => !isLess(destination, peer));
  const {
    kind = "",
    name = "",
    service,
    method = "",
    node,
  } = (named.at(-1) ?? found.at(-1))?.destination ?? {};
  const via = service !== undefined && kind !== "service" ? ` via ${service}` : "";
  const at = kind === "service" && node !== undefined ? ` at ${node}` : "";
  return {
    subject: `${row.path.name}, ${end}'s end`,
    column: `${place.rung} ${row.family === "v4" ? "IPv4" : "IPv6"}`,
    problem: problems.join("; ") || undefined,
    shown: `${kind === name ? kind : `${kind} ${name}`}${via}${at} (${method})`,
  };
}

/** Whether an end says nothing, or the service alone, where more can be known. */
function isLess({ kind, service }: LineEnd, { kinds, service: wanted }: Expected): boolean {
  if (kind === undefined || kinds.includes(kind)) return false;
  return kind === "unknown" || (kind === "service" && service === wanted);
}

async function serveOutside({ a, dir, traffic }: Cluster): Promise<void> {
  const ports = portsOf(ROWS.filter(({ path }) => path.outside));
  await a.runner.start({
    name: "outside",
    args: ["ip", "netns", "exec", OUTSIDE.netns, traffic, `-listen=${ports.low}-${ports.high}`],
    outFile: `${dir}/outside.out`,
    errFile: `${dir}/outside.err`,
  });
}

function ports({ port, nodePort }: Row): { readonly port: number; readonly nodePort: number } {
  return { port, nodePort };
}

function labelOf({ port }: Row): string {
  return `row-${port}`;
}
