import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { type ApiClient, openApiClient } from "../../src/kube/api-client.ts";
import { polledList } from "../../src/kube/polled-list.ts";
import { reflector } from "../../src/kube/reflector.ts";
import { fastClock } from "../kube/fast-clock.ts";
import { feedOf } from "../kube/feed-fixture.ts";
import { type ApiServerOptions, LabApiServer } from "../lab/api-server.ts";

const PORTS = [22379, 22380, 26443] as const;
const PODS = "/api/v1/namespaces/default/pods";
const RBAC = "/apis/rbac.authorization.k8s.io/v1";
/** Waits of minutes are seconds; what the server's own time decides is as it is. */
const FACTOR = 20;
/** After which the server ends a watch by itself, where a test asks for it: real seconds, as long as minutes of the clock. */
const WATCH_SECONDS = 3;

const bin = directoryOf("LAB_BIN", "kube-apiserver and etcd");

test("reflector() and polledList() go on after restarts of a real API server and a permission taken and given back", async () => {
  await using lab = await start({ bin });
  await grant(lab);
  await createPods(lab, "web", 300);
  await using at = await follow(lab);
  const nodes = polledList({
    ...feedOf(at.client, at.clock).feed,
    path: "/api/v1/nodes",
    everyMs: 60_000,
  });
  const nodesRun = nodes.run(at.signal);
  await until(() => at.follower.state === "synced" && at.sink.held.size === 300, "synced");
  await createPods(lab, "more", 1);
  await until(() => at.sink.names.includes("more-0"), "followed");
  assert.equal(at.follower.counters.lists, 1);

  // A watch behind the version that the new server began with gets 410 within a 200: something else must have changed.
  await lab.create("/api/v1/namespaces/default/configmaps", { metadata: { name: "other" } });
  await lab.down();
  await until(() => at.follower.state === "behind", "behind");
  assert.equal(at.sink.held.size, 301);
  await lab.up();
  await until(() => at.follower.counters.relists === 1 && at.follower.state === "synced", "listed anew");
  await lab.ask("DELETE", `${PODS}/web-7?gracePeriodSeconds=0`);
  await until(() => !at.sink.names.split(" ").includes("web-7"), "followed again");
  assert.deepEqual(at.follower.counters.faults, { garbage: 0, "wrong-type": 0, "too-large": 0 });

  await lab.ask("DELETE", `${RBAC}/clusterrolebindings/agent`);
  await createPods(lab, "unseen-by-roles", 1);
  await until(() => at.sink.names.includes("unseen"), "still followed: an open watch goes on");
  await lab.down();
  await lab.up();
  const sentence = 'Cannot watch pods: grant "list" and "watch" on pods to agent';
  await until(() => at.said.includes(sentence), "said what is missing");
  assert.equal(at.follower.state, "denied");
  assert.equal(at.sink.held.size, 301);
  await lab.ask("DELETE", `${PODS}/web-8?gracePeriodSeconds=0`);
  await bind(lab);
  await until(() => at.sink.held.size === 300 && at.follower.state === "synced", "resumed");
  await until(() => isOver(at.said, sentence), "said");

  at.stop();
  await nodesRun;
  assert.ok((nodes.counters.lists ?? 0) > 1);
});

test("reflector() and polledList() say a permission that was taken when a watch ends by its own timeout, and go on when it is back", async () => {
  await using lab = await start({ bin });
  await grant(lab);
  await createPods(lab, "web", 20);
  await using at = await follow(lab, (client) => ({
    ...client,
    read: (target, options) => {
      const timeoutSeconds = options.query["timeoutSeconds"] && `${WATCH_SECONDS}`;
      return client.read(target, { ...options, query: { ...options.query, timeoutSeconds } });
    },
  }));
  const nodesFeed = feedOf(at.client, at.clock);
  const nodes = polledList({ ...nodesFeed.feed, path: "/api/v1/nodes", everyMs: 60_000 });
  const nodesRun = nodes.run(at.signal);
  const { counters } = at.follower;
  await until(() => counters.watches >= 2 && at.follower.state === "synced", "watched anew after a timeout");
  assert.deepEqual({ lists: counters.lists, problems: counters.problems }, { lists: 1, problems: {} });
  await until(() => nodes.state === "synced", "listed nodes");

  await lab.ask("DELETE", `${RBAC}/clusterrolebindings/agent`);
  await createPods(lab, "unseen-by-roles", 1);
  await until(() => at.sink.names.includes("unseen"), "still followed: an open watch goes on");
  const sentence = 'Cannot watch pods: grant "list" and "watch" on pods to agent';
  const nodesSentence = 'Cannot list nodes: grant "list" on nodes to agent';
  await until(() => at.said.includes(sentence), "said what is missing");
  await until(() => nodesFeed.said.includes(nodesSentence), "said what is missing of nodes");
  assert.deepEqual([at.follower.state, nodes.state], ["denied", "denied"]);
  await createPods(lab, "meanwhile", 1);
  await lab.ask("DELETE", `${PODS}/web-8?gracePeriodSeconds=0`);
  await wait(WATCH_SECONDS * 1000);
  assert.equal(at.sink.names.includes("meanwhile"), false);
  assert.equal(at.sink.held.size, 21, "what was known stays");

  await bind(lab);
  const isBack = () => at.sink.names.includes("meanwhile") && !at.sink.names.split(" ").includes("web-8");
  await until(() => isBack() && at.follower.state === "synced" && nodes.state === "synced", "resumed");
  await until(() => isOver(at.said, sentence) && isOver(nodesFeed.said, nodesSentence), "said");
  assert.deepEqual(
    [at.said.length, nodesFeed.said.length],
    [2, 2],
    "each is said once, and once that it is over",
  );
  assert.equal(counters.lists, 1, "the watch goes on from where it was");
  assert.deepEqual(Object.keys(counters.problems), ["forbidden"]);
  at.stop();
  await nodesRun;
});

test("reflector() lists without a stream, and in one answer once etcd has forgotten the version of its pages", async () => {
  const gates = "--feature-gates=WatchList=false,ListFromCacheSnapshot=false";
  await using lab = await start({ bin, args: [gates] });
  await grant(lab);
  await createPods(lab, "web", 501);
  const compactAfterFirstPage = (client: ApiClient): ApiClient => ({
    ...client,
    read: async (target, options) => {
      const problem = await client.read(target, options);
      if (options.query["limit"] !== undefined && options.query["continue"] === undefined) {
        await createPods(lab, "after", 1);
        await lab.compact();
      }
      return problem;
    },
  });
  await using at = await follow(lab, compactAfterFirstPage);
  await until(() => at.follower.state === "synced", "synced");
  assert.equal(at.sink.held.size, 502);
  assert.deepEqual(at.follower.counters.problems, { expired: 1 });
  const { items, bytes } = at.follower.counters;
  assert.ok(items > 1000 && bytes < items * 400, `${bytes} bytes for ${items} items: the server packs lists`);
  await createPods(lab, "more", 1);
  await until(() => at.sink.held.size === 503, "followed");
  assert.deepEqual(at.said, []);
});

test("reflector() falls back to pages on etcd 3.4", async () => {
  const etcd = `${directoryOf("LAB_ETCD34", "etcd 3.4")}/etcd`;
  await using lab = await start({ bin, etcd });
  await grant(lab);
  await createPods(lab, "web", 20);
  await using at = await follow(lab);
  await until(() => at.follower.state === "synced", "synced");
  await createPods(lab, "more", 1);
  await until(() => at.sink.held.size === 21, "followed");
  const { watches, lists } = at.follower.counters;
  assert.deepEqual({ watches, lists }, { watches: 2, lists: 2 });
  assert.deepEqual(at.said, []);
});

const started: LabApiServer[] = [];
after(async () => {
  for (const lab of started) await lab.stop();
});

async function start(options: Omit<ApiServerOptions, "ports">): Promise<LabApiServer> {
  const lab = await LabApiServer.start({ ...options, ports: PORTS });
  started.push(lab);
  return lab;
}

async function follow(lab: LabApiServer, wrap: (client: ApiClient) => ApiClient = (client) => client) {
  const clock = fastClock(FACTOR);
  const kubeconfig = lab.kubeconfig("agent");
  const client = wrap(await openApiClient({ kubeconfig, userAgent: "tcpretrans-test", clock }));
  const { said, sink, feed } = feedOf(client, clock);
  const follower = reflector(feed);
  const stop = new AbortController();
  const running = follower.run(stop.signal);
  return {
    ...{ follower, sink, said, client, clock },
    signal: stop.signal,
    stop: () => stop.abort(),
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
      client.close();
    },
  };
}

async function grant(lab: LabApiServer): Promise<void> {
  const rules = [
    { apiGroups: [""], resources: ["pods"], verbs: ["list", "watch"] },
    { apiGroups: [""], resources: ["nodes"], verbs: ["list"] },
  ];
  await lab.create(`${RBAC}/clusterroles`, { metadata: { name: "agent" }, rules });
  await bind(lab);
}

async function bind(lab: LabApiServer): Promise<void> {
  await lab.create(`${RBAC}/clusterrolebindings`, {
    metadata: { name: "agent" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "agent" },
    subjects: [{ kind: "User", name: "agent", apiGroup: "rbac.authorization.k8s.io" }],
  });
}

async function createPods(lab: LabApiServer, name: string, count: number): Promise<void> {
  const numbers = Array.from({ length: count }, (_, index) => index);
  for (let first = 0; first < count; first += 20) {
    const some = numbers.slice(first, first + 20);
    const spec = { containers: [{ name: "main", image: "none" }] };
    await Promise.all(
      some.map((number) => lab.create(PODS, { metadata: { name: `${name}-${number}` }, spec })),
    );
  }
}

function isOver(said: readonly string[], sentence: string): boolean {
  return said.some((line) => line.startsWith("Over after") && line.endsWith(sentence));
}

async function until(isSo: () => boolean, what: string): Promise<void> {
  for (const last = performance.now() + 30_000; !isSo(); await wait(20)) {
    if (performance.now() > last) throw new Error(`Never ${what}`);
  }
}

function directoryOf(variable: string, programs: string): string {
  const directory = process.env[variable];
  if (directory === undefined) throw new Error(`Set ${variable} to the directory of ${programs}`);
  return directory;
}
