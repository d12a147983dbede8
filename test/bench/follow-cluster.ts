/**
 * Follows an API server in a process of its own and tells its parent what that takes: `node follow-cluster.js
 * KUBECONFIG MODE NODE`. It answers each message with how it stands. To be bundled: types taken off while it runs would
 * leave memory behind that later growth hides in.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type ApiClient, openApiClient } from "../../src/kube/api-client.ts";
import { SYSTEM_CLOCK } from "../../src/kube/clock.ts";
import { ClusterWatch } from "../../src/kube/cluster-watch.ts";
import { OwnerIndex } from "../../src/kube/owner-index.ts";
import { ProblemLog } from "../../src/kube/problem-log.ts";
import { podProjection } from "../../src/kube/project-pod.ts";
import { reflector } from "../../src/kube/reflector.ts";
import type { FeedCounters, FeedState } from "../../src/kube/resource-feed.ts";
import type { FollowMessage, FollowMode, FollowState, ResourceCost } from "./follow-state.ts";

const SETTLE_MS = 2_000;
const TIMER_MS = 2;

const [kubeconfig = "", mode = "cluster", ownNode = ""] = process.argv.slice(2);
setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");
let pastBytes = 0;
const sockets = new Set<Socket>();
countSockets();

const client = await openApiClient({ kubeconfig, userAgent: "tcpretrans-bench" });
const followed = await prepare(mode as FollowMode);
collect();
await sleep(SETTLE_MS);
collect();
// Forgets the peak until now: proc_pid_clear_refs(5).
writeFileSync("/proc/self/clear_refs", "5");
const { heapTotal: heapTotalBefore } = process.memoryUsage();
const heapBefore = inUse();
const rssBefore = status("VmRSS");
const loop = watchLoop();
const cpuBefore = process.cpuUsage();
const startMs = performance.now();
await followed.start();
const syncedMs = performance.now() - startMs;
tell();
process.on("message", (message: FollowMessage) => {
  if (message === "collect") collect();
  if (message === "end") process.exit(0);
  tell();
});

interface Followed {
  /** Resolves when all is known. */
  start(): Promise<void>;
  pods(): number;
  resources(): Readonly<Record<string, ResourceCost>>;
}

async function prepare(mode: FollowMode): Promise<Followed> {
  switch (mode) {
    case "informer":
      return await clientNode();
    case "pods":
      return podsOnly();
    case "cluster":
    case "local":
      return watchCluster(client, mode);
    case "cluster-in-pages":
      return watchCluster(withoutStreams(client), "cluster");
  }
}

function watchCluster(client: ApiClient, scope: "cluster" | "local"): Followed {
  const common = { client, ownNode, withServiceCidrs: false, firstWithinMs: 0, say: console.error };
  const watch = new ClusterWatch({ ...common, scope });
  return {
    start: async () => {
      void watch.run(new AbortController().signal);
      while (!watch.index.complete) await sleep(5);
      setInterval(() => watch.index.expire(Date.now()), 1000);
    },
    pods: () => watch.index.counts().pods,
    resources: () => Object.fromEntries([...watch.resources()].map(([name, each]) => [name, costOf(each)])),
  };
}

function podsOnly(): Followed {
  const sync = { complete: true, pending: false, followsPods: true };
  const index = new OwnerIndex({ ownNode, wholeCluster: true, sync });
  const clock = SYSTEM_CLOCK;
  const follower = reflector({
    ...{ client, clock, problems: new ProblemLog({ say: console.error, clock }), firstWithinMs: 0 },
    ...{ path: "/api/v1/pods", project: podProjection(ownNode), sink: index.pods },
  });
  return {
    start: async () => {
      void follower.run(new AbortController().signal);
      while (follower.state !== "synced") await sleep(5);
    },
    pods: () => index.counts().pods,
    resources: () => ({ pods: costOf(follower) }),
  };
}

async function clientNode(): Promise<Followed> {
  const { CoreV1Api, KubeConfig, makeInformer } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const api = config.makeApiClient(CoreV1Api);
  const informer = makeInformer(config, "/api/v1/pods", () => api.listPodForAllNamespaces());
  informer.on("error", (error) => console.error(error));
  return {
    start: () => informer.start(),
    pods: () => informer.list().length,
    resources: () => ({}),
  };
}

/** A server that knows no streaming lists, as far as its client can tell. */
function withoutStreams(client: ApiClient): ApiClient {
  return {
    server: client.server,
    read: async (target, options) =>
      options.query["sendInitialEvents"] === undefined
        ? await client.read(target, options)
        : { kind: "rejected", sentence: "No streaming lists" },
    renew: () => client.renew(),
    close: () => client.close(),
  };
}

function costOf({ state, counters }: { state: FeedState; counters: Readonly<FeedCounters> }): ResourceCost {
  const { lists, watches, items, events, bookmarks, bytes } = counters;
  return { state, lists, watches, items, events, bookmarks, bytes };
}

function tell(): void {
  const { user, system } = process.cpuUsage(cpuBefore);
  const { heapTotal } = process.memoryUsage();
  const stand: FollowState = {
    syncedMs,
    pods: followed.pods(),
    resources: followed.resources(),
    heapBytes: inUse() - heapBefore,
    heapTotalMib: (heapTotal - heapTotalBefore) / 1024 ** 2,
    rssMib: status("VmRSS") - rssBefore,
    peakMib: status("VmHWM") - rssBefore,
    cpuSeconds: (user + system) / 1e6,
    ...loop(),
    readBytes: [...sockets].reduce((sum, socket) => sum + socket.bytesRead, pastBytes),
  };
  process.send?.(stand);
}

/** Bytes of the heap, and of array buffers, which lie beside it. */
function inUse(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function status(field: "VmRSS" | "VmHWM"): number {
  const text = readFileSync("/proc/self/status", "utf8");
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(text)?.[1]) / 1024;
}

/** How late a timer came at the most, and the CPU time that this thread used meanwhile: other processes delay it too. */
function watchLoop() {
  let [lateMs, busyMs] = [0, 0];
  let last = performance.now();
  let lastCpu = process.threadCpuUsage();
  setInterval(() => {
    const now = performance.now();
    const cpu = process.threadCpuUsage();
    lateMs = Math.max(lateMs, now - last - TIMER_MS);
    busyMs = Math.max(busyMs, (cpu.user - lastCpu.user + cpu.system - lastCpu.system) / 1000);
    [last, lastCpu] = [now, cpu];
  }, TIMER_MS);
  return () => ({ lateMs, busyMs });
}

/** Counts what any client here reads, under TLS. */
function countSockets(): void {
  const connect = Socket.prototype.connect;
  Socket.prototype.connect = function (this: Socket, ...args: unknown[]) {
    sockets.add(this);
    this.once("close", () => {
      pastBytes += this.bytesRead;
      sockets.delete(this);
    });
    return Reflect.apply(connect, this, args);
  };
}
