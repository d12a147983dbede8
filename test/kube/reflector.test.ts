import assert from "node:assert/strict";
import { test } from "node:test";
import { type ReflectorOptions, reflector } from "../../src/kube/reflector.ts";
import { type FastClock, fastClock } from "./fast-clock.ts";
import { bookmark, eventOf, feedOf, listOf, type Named, until } from "./feed-fixture.ts";
import { type Call, recorded, ScriptedServer } from "./scripted-server.ts";

/** Sixty seconds of silence are 200 ms. */
const FACTOR = 300;
const STATE = eventOf("ADDED", "a", "5") + eventOf("ADDED", "b", "6") + bookmark("6", true);

interface Setup {
  readonly clock?: FastClock;
  readonly user?: Record<string, unknown>;
  readonly options?: Partial<ReflectorOptions<Named>>;
}

/** A reflector at work against the server; disposing it ends it. */
async function reflect(server: ScriptedServer, { clock = fastClock(FACTOR), user, options }: Setup = {}) {
  const client = await server.client(clock, user);
  const { said, sink, feed } = feedOf(client, clock);
  const follower = reflector({ ...feed, firstWithinMs: 0, relistWithinMs: 0, ...options });
  const stop = new AbortController();
  const running = follower.run(stop.signal);
  return {
    ...{ follower, sink, said, clock, client },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
      client.close();
    },
  };
}

const isStreaming = ({ query }: Call) => query.has("sendInitialEvents");
const isWatch = ({ query }: Call) => query.has("watch");

test("reflector() lists by a stream, follows it, and goes on from its last version", async () => {
  await using server = await ScriptedServer.start((call) => {
    if (isStreaming(call)) {
      call.write(recorded("streaming-list.ndjson"));
      call.write(recorded("watch.ndjson"));
      setTimeout(() => call.end(), 20);
    } else call.write(eventOf("ADDED", "late", "300"));
  });
  await using at = await reflect(server);
  await until(() => at.sink.names.includes("late"));
  assert.deepEqual(at.sink.log, [
    ...["begin", "+web-0", "+web-1", "+web-2", "end", "+web-3", "+web-0", "-web-0", "+late"],
  ]);
  assert.equal(at.follower.state, "synced");
  assert.deepEqual(at.said, []);
  const [first, second] = server.calls;
  assert.equal(first?.query.get("resourceVersionMatch"), "NotOlderThan");
  assert.equal(first?.query.get("allowWatchBookmarks"), "true");
  const seconds = Number(first?.query.get("timeoutSeconds"));
  assert.ok(seconds >= 300 && seconds <= 600, `${seconds}`);
  assert.equal(first?.headers.authorization, "Bearer secret");
  assert.equal(second?.query.get("sendInitialEvents"), null);
  const last = JSON.parse(recorded("watch.ndjson").trim().split("\n").at(-1) ?? "");
  assert.equal(second?.query.get("resourceVersion"), last.object.metadata.resourceVersion);
  const { items, events, bookmarks, lists, watches } = at.follower.counters;
  assert.deepEqual(
    { items, events, bookmarks, lists, watches },
    { items: 3, events: 4, bookmarks: 2, lists: 1, watches: 2 },
  );
});

test("reflector() lists in pages where streaming lists are refused, and remembers it", async () => {
  let expired = false;
  await using server = await ScriptedServer.start((call) => {
    if (isStreaming(call)) call.json('{"kind":"Status","code":422}', 422);
    else if (isWatch(call) && !expired) {
      expired = true;
      call.json(recorded("watch-expired.ndjson"));
    } else if (isWatch(call)) call.write(bookmark("9"));
    else call.json(recorded(call.query.has("continue") ? "page-2.json" : "page-1.json"));
  });
  await using at = await reflect(server);
  await until(() => at.follower.counters.bookmarks === 1);
  assert.deepEqual(at.sink.log, Array(2).fill(["begin", "+web-0", "+web-1", "+web-2", "end"]).flat());
  assert.equal(server.calls.filter(isStreaming).length, 1);
  const [, one, two, watch] = server.calls;
  assert.equal(one?.query.get("limit"), "500");
  const page = JSON.parse(recorded("page-1.json"));
  assert.equal(two?.query.get("continue"), page.metadata.continue);
  assert.equal(watch?.query.get("resourceVersion"), page.metadata.resourceVersion);
});

test("reflector() lists in pages where etcd 3.4 ends a streaming list by an ERROR event", async () => {
  await using server = await ScriptedServer.start((call) => {
    if (isStreaming(call)) call.json(recorded("etcd-3.4-streaming-list.ndjson"));
    else if (isWatch(call)) call.write(bookmark("9"));
    else call.json(listOf(["a"]));
  });
  await using at = await reflect(server);
  await until(() => at.follower.counters.bookmarks === 1);
  assert.equal(at.sink.names, "a");
  assert.deepEqual(at.said, []);
});

test("reflector() lists in pages where a streaming list never ends its state", async () => {
  await using server = await ScriptedServer.start((call) => {
    if (isStreaming(call)) call.write(eventOf("ADDED", "a", "5"));
    else if (isWatch(call)) call.write(bookmark("9"));
    else call.json(listOf(["a"]));
  });
  await using at = await reflect(server);
  await until(() => at.follower.counters.bookmarks === 1);
});

test("reflector() keeps what it knew until a new list is complete, and then tells what is gone", async () => {
  let lists = 0;
  await using server = await ScriptedServer.start((call) => {
    if (isWatch(call) && !isStreaming(call)) {
      call.json(recorded("watch-expired.ndjson"));
    } else if (++lists === 1) call.json(STATE);
    else if (lists === 2) {
      call.write(eventOf("ADDED", "b", "8"));
      setTimeout(() => call.reset(), 20);
    } else call.write(eventOf("ADDED", "c", "9") + bookmark("9", true));
  });
  await using at = await reflect(server);
  await until(() => lists === 3 && at.follower.state === "synced");
  assert.deepEqual(
    at.sink.log.filter((line) => line !== "+a" && line !== "+b"),
    ["begin", "end", "begin", "begin", "+c", "end"],
  );
  assert.equal(at.sink.names, "c");
  assert.equal(at.follower.counters.relists, 1);
});

test("reflector() spreads lists after a 410 over the window", async () => {
  let randoms = 0;
  const clock = fastClock(FACTOR, () => (++randoms === 1 ? 0 : 0.75));
  await using server = await ScriptedServer.start((call) => {
    if (isStreaming(call)) call.json(STATE);
    else call.json(recorded("watch-expired.ndjson"));
  });
  await using at = await reflect(server, { clock, options: { relistWithinMs: 30_000 } });
  await until(() => at.follower.counters.relists > 0);
  await until(() => clock.waits.includes(22_500));
  assert.equal(at.follower.state, "behind");
});

test("reflector() of a hundred agents does not list at once after a restart of the server", async () => {
  const clock = fastClock(10);
  const relists: number[] = [];
  let restarted = false;
  await using server = await ScriptedServer.start((call) => {
    if (isStreaming(call)) {
      if (restarted) relists.push(clock.monotonicMs());
      call.write(STATE);
    } else call.json(recorded("watch-expired.ndjson"));
  });
  await using agents = new AsyncDisposableStack();
  const all = await Promise.all(
    Array.from({ length: 100 }, () => reflect(server, { clock, options: { relistWithinMs: 30_000 } })),
  );
  for (const agent of all) agents.use(agent);
  await until(() => all.every(({ follower }) => follower.state === "synced"));
  await server.down();
  restarted = true;
  await server.up();
  await until(() => relists.length === 100);
  const [first = 0] = relists;
  const busiest = relists.map((ms) => relists.filter((other) => other >= ms && other < ms + 3_000).length);
  assert.ok(Math.max(...busiest) < 35, `${Math.max(...busiest)} lists within 3 s`);
  assert.ok((relists.at(-1) ?? 0) - first > 20_000);
});

test("reflector() takes a list in one answer when its continue token has expired", async () => {
  await using server = await ScriptedServer.start((call) => {
    if (isStreaming(call)) call.json("{}", 400);
    else if (isWatch(call)) call.write(bookmark("9"));
    else if (call.query.has("continue")) call.json(recorded("continue-expired.json"), 410);
    else if (call.query.has("limit")) call.json(recorded("page-1.json"));
    else call.json(listOf(["a", "b", "c"]));
  });
  await using at = await reflect(server);
  await until(() => at.follower.counters.bookmarks === 1);
  assert.equal(at.sink.names, "a b c");
  assert.deepEqual(at.said, []);
});

test("reflector() waits as long as Retry-After says", async () => {
  await using server = await ScriptedServer.start((call) => {
    if (server.calls.length <= 2)
      call.json("{}", server.calls.length === 1 ? 429 : 503, { "retry-after": "7" });
    else call.write(STATE);
  });
  await using at = await reflect(server);
  await until(() => at.follower.state === "synced");
  assert.equal(at.clock.waits.filter((ms) => ms >= 7_000 && ms < 9_000).length, 2);
  assert.deepEqual([at.follower.counters.problems.throttled, at.follower.counters.problems.failing], [1, 1]);
});

test("reflector() names the permission that is missing, keeps what it knew, and resumes once it is granted", async () => {
  let granted = true;
  await using server = await ScriptedServer.start((call) => {
    if (!granted) call.json(recorded("forbidden.json"), 403);
    else if (isStreaming(call)) {
      call.write(STATE);
      setTimeout(() => call.reset(), 20);
      granted = false;
    } else call.write(eventOf("ADDED", "late", "10"));
  });
  await using at = await reflect(server, { options: { path: "/apis/discovery.k8s.io/v1/endpointslices" } });
  await until(() => at.follower.state === "denied" && (at.follower.counters.problems.forbidden ?? 0) > 2);
  const sentence =
    'Cannot watch endpointslices: grant "list" and "watch" on endpointslices.discovery.k8s.io to agent';
  assert.deepEqual(at.said, [sentence]);
  assert.equal(at.sink.names, "a b");
  const denials = server.calls.length;
  granted = true;
  await until(() => at.sink.names === "a b late");
  assert.ok(denials < 10, `${denials} requests`);
  assert.equal(at.follower.state, "synced");
  assert.equal(server.calls.at(-1)?.query.get("resourceVersion"), "6");
  await until(() => at.said.length === 2);
  assert.match(at.said[1] ?? "", /^Over after \d+ s and \d+ tries: Cannot watch endpointslices/);
});

test("reflector() reads the token anew after a 401, without a word when that is enough", async () => {
  await using server = await ScriptedServer.start((call) => {
    if (call.headers.authorization === "Bearer new") call.write(STATE);
    else {
      server.file("token", "new\n");
      call.json(recorded("unauthorized.json"), 401);
    }
  });
  const tokenFile = server.file("token", "old\n");
  await using at = await reflect(server, {
    user: { "auth-provider": { name: "tokenFile", config: { tokenFile } } },
  });
  await until(() => at.follower.state === "synced");
  assert.deepEqual(
    server.calls.map(({ headers }) => headers.authorization),
    ["Bearer old", "Bearer new"],
  );
  assert.deepEqual(at.said, []);
});

test("reflector() says that it is not known when a new token does not help", async () => {
  await using server = await ScriptedServer.start((call) => call.json(recorded("unauthorized.json"), 401));
  await using at = await reflect(server);
  await until(() => server.calls.length > 4);
  assert.deepEqual(at.said, [
    `The API server at ${server.url} does not know us (401); renew the token or the client certificate of the kubeconfig`,
  ]);
});

test("reflector() cuts a watch that has fallen silent and goes on from its last version", async () => {
  await using server = await ScriptedServer.start((call) => {
    if (isStreaming(call)) call.write(STATE + bookmark("8"));
    else call.write(eventOf("ADDED", "late", "10"));
  });
  await using at = await reflect(server);
  await until(() => at.sink.names === "a b late");
  assert.equal(server.calls[1]?.query.get("resourceVersion"), "8");
  assert.deepEqual(at.follower.counters.problems, { silent: 1 });
  assert.deepEqual(at.said, []);
});

test("reflector() backs off from a server that ends every watch at once", async () => {
  await using server = await ScriptedServer.start((call) => call.json(isStreaming(call) ? STATE : ""));
  await using at = await reflect(server);
  await until(() => at.said.length === 1);
  assert.deepEqual(at.said, [`The API server at ${server.url} ends watches at once`]);
  await until(() => server.calls.length >= 12);
  assert.ok(Math.max(...at.clock.waits.slice(-8)) > 4_000, "waits grow");
  assert.equal(server.calls.filter(isStreaming).length, 1);
});

test("reflector() outlasts an hour without a server: one sentence, bounded tries, and names resume", async () => {
  await using server = await ScriptedServer.start((call) => {
    if (isStreaming(call)) call.write(STATE);
    else call.write(eventOf("ADDED", "late", "10"));
  });
  await using at = await reflect(server, { clock: fastClock(1000) });
  await until(() => at.follower.state === "synced");
  await server.down();
  const sinceMs = at.clock.monotonicMs();
  await until(() => at.clock.monotonicMs() - sinceMs > 3_600_000, "an hour");
  assert.equal(at.follower.state, "behind");
  assert.equal(at.sink.names, "a b");
  const tries = Object.values(at.follower.counters.problems).reduce((sum, count) => sum + count, 0);
  assert.ok(tries > 100 && tries < 600, `${tries} tries`);
  await server.up();
  await until(() => at.sink.names === "a b late");
  await until(() => at.said.length === 2);
  assert.match(at.said[0] ?? "", /^Cannot reach the API server at .*: the connection is refused; /);
  assert.match(at.said.at(-1) ?? "", /^Over after 3\d{3} s and \d+ tries: /);
});

test("reflector() takes a first refusal after an outage for a server that knows no roles yet, and asks again soon", async () => {
  let refusals = 0;
  await using server = await ScriptedServer.start((call) => {
    if (isStreaming(call)) call.write(STATE);
    else if (refusals++ === 0) call.json(recorded("forbidden.json"), 403);
    else call.write(eventOf("ADDED", "late", "10"));
  });
  await using at = await reflect(server, { clock: fastClock(1000, () => 0.5) });
  await until(() => at.follower.state === "synced");
  const sinceMs = at.clock.monotonicMs();
  await until(() => at.clock.monotonicMs() - sinceMs > 60_000, "a watch that has lasted");
  await server.down();
  await until(() => (at.follower.counters.problems.unreachable ?? 0) > 20);
  const waits = at.clock.waits.length;
  await server.up();
  await until(() => at.sink.names === "a b late");
  assert.ok(at.clock.waits.slice(waits).includes(1_500), `waits ${at.clock.waits.slice(waits)}`);
  await until(() => at.said.some((line) => line.startsWith("Over after ")));
  assert.ok(!at.said.some((line) => line.includes("grant")), at.said.join("\n"));
});

test("reflector() starts while the server is away", async () => {
  await using server = await ScriptedServer.start((call) => call.write(STATE));
  const clock = fastClock(FACTOR);
  await server.down();
  await using at = await reflect(server, { clock });
  await until(() => (at.follower.counters.problems.unreachable ?? 0) > 5);
  assert.equal(at.follower.state, "syncing");
  assert.equal(at.said.length, 1);
  await server.up();
  await until(() => at.follower.state === "synced");
});

test("reflector() counts lines that are no event and goes on", async () => {
  const faulty = [
    "no json",
    "[1]",
    '{"type":"NEW","object":{}}',
    '{"type":"ADDED","object":{"metadata":{}}}',
    "null",
  ];
  await using server = await ScriptedServer.start((call) => {
    call.write(`${STATE}${faulty.join("\n")}\n`);
    call.write(
      `{"type":"ADDED","object":"${"x".repeat(5 * 1024 * 1024)}"}\n${eventOf("ADDED", "late", "10")}`,
    );
  });
  await using at = await reflect(server);
  await until(() => at.sink.names === "a b late");
  assert.deepEqual(at.follower.counters.faults, { garbage: 1, "wrong-type": 4, "too-large": 1 });
});

test("reflector() fetches the state anew when its version is of a history that etcd no longer has", async () => {
  const causes = [{ reason: "ResourceVersionTooLarge" }];
  const status = { kind: "Status", code: 504, message: "Timeout", details: { causes } };
  await using server = await ScriptedServer.start((call) => {
    if (isStreaming(call)) call.json(STATE);
    else call.json(JSON.stringify(status), 504);
  });
  await using at = await reflect(server);
  await until(() => server.calls.filter(isStreaming).length > 1);
  assert.ok(at.follower.counters.relists > 0);
});
