import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type HealthServerOptions, startHealthServer } from "../../src/agent/health-server.ts";

const MIB = 1024 * 1024;
const GET_LIVEZ = "GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";

async function serve(t: TestContext, options: Partial<HealthServerOptions> = {}) {
  const server = await startHealthServer({
    host: "127.0.0.1",
    port: 0,
    now: () => performance.now(),
    live: () => ({ ok: true, lines: [] }),
    ready: () => ({ ok: true, lines: [] }),
    metrics: () => "x".repeat(MIB),
    page: () => "<p>page",
    failed: (error) => assert.fail(String(error)),
    answered: () => {},
    ...options,
  });
  t.after(() => server[Symbol.asyncDispose]());
  const open = (): Socket => {
    const socket = connect({ host: "127.0.0.1", port: server.port });
    socket.on("error", () => {});
    t.after(() => socket.destroy());
    return socket;
  };
  const isAlive = async () => (await fetch(`${server.url}livez`)).status === 200;
  return { server, open, isAlive };
}

/** Sends bytes on a connection of their own and gives all that comes back until its end. */
async function talk(socket: Socket, text: string | Buffer): Promise<string> {
  let answer = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => (answer += chunk));
  socket.write(text);
  // Not once(): a connection that is reset before all is written ends with an error, and that is an end too.
  await new Promise<void>((resolve) => socket.on("close", () => resolve()));
  return answer;
}

async function until(done: () => boolean): Promise<void> {
  for (const end = performance.now() + 10_000; !done(); await sleep(10))
    assert.ok(performance.now() < end, "it has not come to that after 10 s");
}

test("startHealthServer() refuses a head that is too large", async (t) => {
  const { open, isAlive } = await serve(t);
  const answer = await talk(open(), `GET /livez HTTP/1.1\r\nhost: a\r\nx: ${"y".repeat(9000)}\r\n\r\n`);
  assert.match(answer, /^HTTP\/1\.1 431 /);
  assert.ok(await isAlive());
});

const slow = { headersMs: 200, requestMs: 400, checkMs: 50 };

test("startHealthServer() ends a connection whose head never ends, or never begins", async (t) => {
  const { open, isAlive } = await serve(t, { limits: slow });
  assert.match(await talk(open(), "GET /livez HTTP/1.1\r\nhost: a\r\nx: "), /^HTTP\/1\.1 408 /);
  await talk(open(), "");
  const drip = open();
  const dripping = setInterval(() => drip.writable && drip.write("x"), 20);
  t.after(() => clearInterval(dripping));
  await talk(drip, "GET /livez HTTP/1.1\r\nhost: a\r\nx: ");
  assert.ok(await isAlive());
});

const garbage: readonly { name: string; bytes: Buffer }[] = [
  { name: "a TLS client", bytes: Buffer.from("160301020001000001fc0303", "hex") },
  { name: "HTTP/2", bytes: Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") },
  { name: "binary noise", bytes: Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 197 + 13) & 255)) },
  { name: "a method that is none", bytes: Buffer.from("BREW / HTTP/1.1\r\nhost: a\r\n\r\n") },
  {
    name: "two lengths",
    bytes: Buffer.from(`${GET_LIVEZ.slice(0, -2)}content-length: 1\r\ncontent-length: 2\r\n\r\n`),
  },
  {
    name: "a length and chunks",
    bytes: Buffer.from(`${GET_LIVEZ.slice(0, -2)}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n`),
  },
  { name: "CONNECT", bytes: Buffer.from("CONNECT example.com:443 HTTP/1.1\r\nhost: example.com\r\n\r\n") },
];
for (const { name, bytes } of garbage) {
  test(`startHealthServer() ends the connection of ${name}`, async (t) => {
    const { open, isAlive } = await serve(t, { limits: slow });
    assert.doesNotMatch(await talk(open(), bytes), /^HTTP\/1\.1 200 /);
    assert.ok(await isAlive());
  });
}

test("startHealthServer() does not keep a connection on which a body comes", async (t) => {
  const { open } = await serve(t);
  const answer = await talk(
    open(),
    "GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1000000\r\n\r\n",
  );
  assert.match(answer, /^HTTP\/1\.1 200 /);
  assert.match(answer, /^connection: close\r$/im);
});

test("startHealthServer() answers a few requests that come at once on one connection, in order", async (t) => {
  const { open } = await serve(t);
  const socket = open();
  const second = GET_LIVEZ.replace("livez", "readyz").replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
  const answer = await talk(socket, `GET /none HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n${second}`);
  assert.deepEqual(answer.match(/^HTTP\/1\.1 \d+/gm), ["HTTP/1.1 404", "HTTP/1.1 200"]);
});

test("startHealthServer() makes few of the answers that thousands of requests on one connection ask for", async (t) => {
  let made = 0;
  const { open, isAlive } = await serve(t, {
    metrics: () => {
      made++;
      return "x".repeat(MIB);
    },
  });
  const socket = open();
  socket.pause();
  socket.write("GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".repeat(5000));
  await until(() => made > 0);
  await sleep(100);
  assert.ok(await isAlive());
  assert.ok(made <= 4, `${made} made`);
});

test("startHealthServer() makes no more large answers than it has room for while nobody takes them", async (t) => {
  let made = 0;
  const { server, open, isAlive } = await serve(t, {
    metrics: () => {
      made++;
      return "x".repeat(8 * MIB);
    },
    limits: { waitingBytes: 20 * MIB, answerMs: 3000 },
  });
  const sockets = Array.from({ length: 12 }, open);
  for (const socket of sockets) {
    socket.pause();
    socket.write("GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
  }
  await until(() => made + server.counts.refused >= 12);
  assert.equal(made, 3, "of 8 MiB each, where 20 MiB may wait");
  assert.ok(await isAlive(), "what costs nothing is answered");
  await until(() => server.counts.cutOff >= 3);
  const answer = await fetch(`${server.url}metrics`);
  assert.equal(answer.status, 200, "what was not taken in time has made room");
  await answer.arrayBuffer();
});

test("startHealthServer() makes only so many costly answers a second, and probes do not count", async (t) => {
  let nowMs = 0;
  const { server, isAlive } = await serve(t, { now: () => nowMs, metrics: () => "text\n" });
  const scrape = async () => {
    const answer = await fetch(`${server.url}metrics`);
    await answer.text();
    return { status: answer.status, retry: answer.headers.get("retry-after") };
  };
  for (let i = 0; i < 20; i++) assert.equal((await scrape()).status, 200);
  assert.deepEqual(await scrape(), { status: 503, retry: "1" });
  assert.equal(server.counts.refused, 1);
  assert.ok(await isAlive());
  nowMs = 1000;
  assert.equal((await scrape()).status, 200);
});

test("startHealthServer() answers a probe though a thousand connections do nothing, and keeps 64 of them", async (t) => {
  const { server, open, isAlive } = await serve(t);
  const sockets = Array.from({ length: 1000 }, open);
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  assert.ok(await isAlive());
  await until(() => sockets.filter((socket) => !socket.destroyed).length <= 64);
  assert.ok(server.counts.displaced >= 936);
  assert.ok(await isAlive());
});

test("startHealthServer() ends idle connections before one whose answer is under way", async (t) => {
  const metrics = () => "x".repeat(16 * MIB); // more than the kernel takes from us before the reader does
  const { server, open } = await serve(t, { metrics, limits: { connections: 4 } });
  const reader = open();
  reader.pause();
  reader.write("GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n");
  await sleep(50);
  const idle = Array.from({ length: 8 }, open);
  await Promise.all(idle.map((socket) => once(socket, "connect")));
  await until(() => server.counts.displaced === 5);
  let bytes = 0;
  reader.on("data", (chunk: Buffer) => (bytes += chunk.length)).resume();
  await once(reader, "close");
  assert.ok(bytes > 16 * MIB, `${bytes} bytes came`);
});
