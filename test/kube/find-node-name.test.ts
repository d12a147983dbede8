import assert from "node:assert/strict";
import { test } from "node:test";
import { SYSTEM_CLOCK } from "../../src/kube/clock.ts";
import { findNodeName } from "../../src/kube/find-node-name.ts";
import { ScriptedServer } from "./scripted-server.ts";

const node = (name: string, ...addresses: readonly string[]) => ({
  metadata: { uid: `uid-${name}`, name },
  status: { addresses: addresses.map((address) => ({ type: "InternalIP", address })) },
});
const NODES = {
  kind: "NodeList",
  metadata: { resourceVersion: "7" },
  items: [node("node-a", "172.31.99.1"), node("node-b", "172.31.98.2"), node("node-c", "172.31.99.1")],
};

async function find(server: ScriptedServer, hostname: string, ...addresses: readonly string[]) {
  const client = await server.client(SYSTEM_CLOCK);
  const { signal } = new AbortController();
  const isHostAddress = (address: string) => addresses.includes(address);
  const found = await findNodeName({ client, hostname, isHostAddress, withinMs: 500, signal });
  client.close();
  return found.kind === "found" ? found.name : found.sentence;
}

test("findNodeName() finds the one node with an address of the host, else the one of its name", async () => {
  await using server = await ScriptedServer.start((call) => call.json(JSON.stringify(NODES)));
  assert.equal(await find(server, "node-a", "172.31.98.2"), "node-b");
  assert.equal(await find(server, "Node-A", "192.0.2.1"), "node-a");
  assert.equal(await find(server, "x", "172.31.99.1"), "Several nodes have its addresses: node-a, node-c");
  assert.equal(await find(server, "x"), "None of 3 nodes has its addresses or is called x");
});

test("findNodeName() says that an API server does not answer in time", async () => {
  await using server = await ScriptedServer.start(() => {});
  assert.equal(await find(server, "x"), `The API server at ${server.url} does not answer within 0.5 s`);
});
