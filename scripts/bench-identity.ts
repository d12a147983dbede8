/**
 * What naming costs: a simulated cluster of 30,000 pods served by a real API server, followed by us and by client-node's
 * own informer; look-ups, connection tracking, the agent at rest, and what the API server bears. Prints the tables and
 * writes them into docs/benchmarks.md and docs/scaling.md. `--pods=N --agents=N --settle=SECONDS`.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { agentCost } from "../test/bench/agent-cost.ts";
import { apiServerCpu } from "../test/bench/api-server-cpu.ts";
import { bundle } from "../test/bench/bundle.ts";
import { ApiFiller } from "../test/bench/fill-api-server.ts";
import { Follower, type FollowMode, type FollowState } from "../test/bench/follow-state.ts";
import {
  followTable,
  goalsOf,
  identityPart,
  type LookUps,
  type Measured,
  type Run,
} from "../test/bench/identity-report.ts";
import { writeMarkedPart, writtenBy } from "../test/bench/marked-part.ts";
import { clusterOf } from "../test/bench/real-objects.ts";
import { relistSpread } from "../test/bench/relist-spread.ts";
import type { ObjectBytes } from "../test/bench/scaling-arithmetic.ts";
import { scalingPart } from "../test/bench/scaling-report.ts";
import { LabApiServer } from "../test/lab/api-server.ts";
import { goTools } from "../test/lab/cluster/go-tools.ts";
import { labDir } from "../test/lab/lab-dir.ts";
import { NODE_FLAGS } from "./node-flags.ts";

const PORTS = [23379, 23380, 27443] as const;
const NODE = "node-0001";
const NODE_NUMBER = 1;
const STATUSES = 300;
const SLICES = 100;
/** A bookmark comes every minute; on a machine that has much to do it comes late. */
const BOOKMARK_MS = 75_000;
const BOOKMARK_PATIENCE_MS = 300_000;
/** Its lists in, and garbage collected and memory given back, which it does after ten quiet seconds. */
const AGENT_SETTLE_SECONDS = 45;

const { values } = parseArgs({
  options: {
    pods: { type: "string", default: "30000" },
    agents: { type: "string", default: "200" },
    settle: { type: "string", default: "30" },
  },
});
const [pods, agents, settleSeconds] = [Number(values.pods), Number(values.agents), Number(values.settle)];

if (process.getuid?.() !== 0) {
  console.error("Cannot measure: tracing the kernel and making cgroups needs root");
  process.exit(1);
}
const root = join(import.meta.dirname, "..");
process.chdir(root);
const started = performance.now();
const [loadBefore] = loadavg();
const product = join(root, "bin/tcpretrans");
execFileSync("npm", ["run", "--silent", "build"], { stdio: "inherit" });
using cleanup = new DisposableStack();
const scratch = mkdtempSync(join(tmpdir(), "tcpretrans-bench-"));
cleanup.defer(() => rmSync(scratch, { recursive: true }));
const program = await bundle("follow-cluster", scratch);
const bin = await goTools(labDir(process.env), say);

const measured = await measure();
const goals = goalsOf(measured);
console.log(`\n${followTable(measured)}\n\n${goals}`);
const when = `${writtenBy("npm run bench:identity", { args: process.argv.slice(2), loadBefore })}.`;
writeMarkedPart("docs/benchmarks.md", "npm run bench:identity", `${when}\n\n${identityPart(measured)}`);
writeMarkedPart("docs/scaling.md", "npm run bench:identity", `${when}\n\n${scalingPart(measured)}`);
say("Written into docs/benchmarks.md and docs/scaling.md");

async function measure(): Promise<Measured> {
  const small = clusterOf(pods / 10);
  const large = clusterOf(pods);
  const runs: Run[] = [];
  const served = await serveAndMeasure(small, large, runs);
  const conntrack = runScript("conntrack-bench.ts", "--json") as Measured["conntrack"];
  await using server = await LabApiServer.start({ bin, ports: PORTS });
  using filler = new ApiFiller(server, PORTS[0]);
  say(`starting ${agents} agents, and the API server again under them`);
  const relists = await relistSpread(server, filler, agents);
  return { small, large, runs, conntrack, relists, ...served };
}

type Size = ReturnType<typeof clusterOf>;

async function serveAndMeasure(small: Size, large: Size, runs: Run[]) {
  await using server = await LabApiServer.start({ bin, ports: PORTS });
  using filler = new ApiFiller(server, PORTS[0]);
  say("the agent without a cluster, and with an empty one");
  const kubeconfig = server.kubeconfig("admin");
  const alone = ["agent", "--events", "none", "--log-format", "json", "--no-http"];
  const named = [...alone, "--kubernetes", "true", "--kubeconfig", kubeconfig, "--node-name", NODE];
  const rest = { settleSeconds: AGENT_SETTLE_SECONDS, seconds: 15 };
  const without = await agentCost(product, alone, rest);
  const empty = await agentCost(product, named, rest);
  await filler.grow(small);
  for (const mode of ["cluster", "cluster-in-pages", "local"] as const)
    runs.push(await follow(server, small, mode));
  await filler.grow(large);
  say(`the API server has ${large.pods} pods, ${large.services} services and ${large.nodes} nodes`);
  for (const mode of ["informer", "pods", "cluster", "cluster-in-pages", "local"] as const)
    runs.push(await follow(server, large, mode));
  const bytes = await measureBytes(server, filler, runs);
  say("looking up");
  const lookUps = runScript("look-up-cost.ts", kubeconfig, NODE) as LookUps;
  say("the agent with all of it");
  const agent = {
    ...{ without, empty },
    local: await agentCost(product, [...named, "--scope", "local"], rest),
    cluster: await agentCost(product, named, rest),
  };
  return { bytes, lookUps, agent };
}

async function follow(server: LabApiServer, size: Size, mode: FollowMode): Promise<Run> {
  const before = apiServerCpu(PORTS[2]);
  await using follower = await startFollower(server, mode);
  const serverCpuSeconds = apiServerCpu(PORTS[2]) - before;
  await sleep(settleSeconds * 1000);
  const settled = await follower.ask("state");
  const collected = await follower.ask("collect");
  const { synced } = follower;
  const mib = `${settled.rssMib.toFixed(0)} MiB, at most ${settled.peakMib.toFixed(0)}`;
  say(`${mode}: ${synced.pods} of ${size.pods} pods after ${(synced.syncedMs / 1000).toFixed(1)} s, ${mib}`);
  return { mode, size, synced, settled, heapBytes: collected.heapBytes, serverCpuSeconds };
}

async function startFollower(server: LabApiServer, mode: FollowMode): Promise<Follower> {
  const kubeconfig = server.kubeconfig("admin");
  return await Follower.start(program, { kubeconfig, mode, node: NODE, execArgv: NODE_FLAGS });
}

/** Bytes of one object in lists, from the runs, and of one event: so many are made for it. */
async function measureBytes(
  server: LabApiServer,
  filler: ApiFiller,
  runs: readonly Run[],
): Promise<ObjectBytes> {
  say("counting bytes of events and bookmarks");
  await using follower = await startFollower(server, "cluster");
  const before = follower.synced;
  const first = NODE_NUMBER * 30;
  for (let i = first; i < first + STATUSES; i++) await filler.writeStatus(i, 60);
  for (let i = 1; i <= SLICES; i++) await filler.touchSlice(i, 1_800_000_000);
  await sleep(2_000);
  const middle = await follower.ask("state");
  const after = await stateWithBookmark(follower, middle);
  const list = (mode: FollowMode, name: string) => {
    const run = runs.findLast((each) => each.mode === mode);
    const { bytes = 0, items = 0 } = run?.synced.resources[name] ?? {};
    return bytes / items;
  };
  const event = (name: string) => per(before, middle, { name, of: "events" });
  return {
    streamed: {
      pod: list("cluster", "pods"),
      service: list("cluster", "services"),
      slice: list("cluster", "endpointslices"),
    },
    packed: {
      pod: list("cluster-in-pages", "pods"),
      service: list("cluster-in-pages", "services"),
      slice: list("cluster-in-pages", "endpointslices"),
      node: list("cluster", "nodes"),
    },
    event: {
      pod: event("pods"),
      slice: event("endpointslices"),
      bookmark: per(middle, after, { name: "services", of: "bookmarks" }),
    },
  };
}

async function stateWithBookmark(follower: Follower, before: FollowState): Promise<FollowState> {
  const bookmarks = (state: FollowState) => state.resources["services"]?.bookmarks ?? 0;
  const deadline = performance.now() + BOOKMARK_PATIENCE_MS;
  let state = before;
  while (bookmarks(state) === bookmarks(before) && performance.now() < deadline) {
    await sleep(BOOKMARK_MS);
    state = await follower.ask("state");
  }
  return state;
}

/** Bytes of each that came between two states. */
function per(
  before: FollowState,
  after: FollowState,
  { name, of }: { readonly name: string; readonly of: "events" | "bookmarks" },
): number {
  const [from, to] = [before.resources[name], after.resources[name]];
  if (from === undefined || to === undefined || to[of] === from[of])
    throw new Error(`Cannot measure: no ${of} of ${name} came`);
  return (to.bytes - from.bytes) / (to[of] - from[of]);
}

function runScript(name: string, ...args: readonly string[]): unknown {
  const script = join(root, "test/bench", name);
  return JSON.parse(execFileSync(process.execPath, [...NODE_FLAGS, script, ...args], { encoding: "utf8" }));
}

function say(text: string): void {
  console.log(`${((performance.now() - started) / 1000).toFixed(0)} s: ${text}`);
}
