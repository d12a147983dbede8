import assert from "node:assert/strict";
import { test } from "node:test";
import { polledList } from "../../src/kube/polled-list.ts";
import { fastClock } from "./fast-clock.ts";
import { feedOf, listOf, until } from "./feed-fixture.ts";
import { recorded, ScriptedServer } from "./scripted-server.ts";

test("polledList() lists from the cache every five minutes, 20 % more or less, and tells what is gone", async () => {
  const clock = fastClock(2_000);
  await using server = await ScriptedServer.start((call) => {
    call.json(listOf(server.calls.length === 1 ? ["a", "b"] : ["b", "c"]));
  });
  await using at = await poll(server, clock);
  await until(() => at.nodes.counters.lists > 7);
  assert.equal(at.sink.names, "b c");
  assert.equal(at.nodes.state, "synced");
  assert.equal(server.calls[0]?.query.toString(), "resourceVersion=0");
  const [, ...waits] = clock.waits.filter((ms) => ms > 61_000);
  assert.ok(Math.min(...waits) >= 240_000 && Math.max(...waits) <= 360_000, `${waits}`);
  assert.ok(Math.max(...waits) - Math.min(...waits) > 10_000, "they differ");
});

test("polledList() keeps what it knew while a permission is missing, and says which", async () => {
  const forbidden = recorded("forbidden.json").replaceAll("endpointslices", "nodes");
  await using server = await ScriptedServer.start((call) => {
    if ([2, 3].includes(server.calls.length)) call.json(forbidden, 403);
    else call.json(listOf(["a"]));
  });
  await using at = await poll(server, fastClock(1_000));
  await until(() => at.said.length > 0);
  assert.equal(at.nodes.state, "denied");
  assert.equal(at.sink.names, "a");
  assert.deepEqual(at.said, ['Cannot list nodes: grant "list" on nodes to agent']);
  await until(() => at.nodes.state === "synced");
});

test("polledList() takes an answer that is no list for no API server's", async () => {
  await using server = await ScriptedServer.start((call) => call.json('{"hello":"world"}'));
  await using at = await poll(server, fastClock(1_000));
  await until(() => at.said.length > 0);
  assert.match(
    at.said[0] ?? "",
    /^No Kubernetes API server at http:.*: it answers a list with no list; check/,
  );
  assert.deepEqual(at.sink.log.includes("end"), false);
});

async function poll(server: ScriptedServer, clock: ReturnType<typeof fastClock>) {
  const client = await server.client(clock);
  const { said, sink, feed } = feedOf(client, clock);
  const nodes = polledList({ ...feed, path: "/api/v1/nodes" });
  const stop = new AbortController();
  const running = nodes.run(stop.signal);
  return {
    ...{ nodes, sink, said },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
      client.close();
    },
  };
}
