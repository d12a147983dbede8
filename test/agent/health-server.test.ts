import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { type HealthServerOptions, startHealthServer } from "../../src/agent/health-server.ts";
import { OPEN_METRICS_TYPE, PROMETHEUS_TEXT_TYPE } from "../../src/agent/wants-open-metrics.ts";
import { SetupError } from "../../src/syscall/setup-error.ts";

async function serve(t: TestContext, options: Partial<HealthServerOptions> = {}) {
  const failures: unknown[] = [];
  const server = await startHealthServer({
    host: "127.0.0.1",
    port: 0,
    live: () => ({ ok: true, reasons: [] }),
    ready: () => ({ ok: true, reasons: [] }),
    metrics: (openMetrics) => (openMetrics ? "open\n# EOF\n" : "text\n"),
    page: () => "<!doctype html><p>page",
    failed: (error) => failures.push(error),
    ...options,
  });
  t.after(() => server[Symbol.asyncDispose]());
  return { server, failures, get: (path: string, init?: RequestInit) => fetch(`${server.url}${path}`, init) };
}

/** Sends bytes on a connection of their own and gives all that comes back until its end. */
async function talk(port: number, text: string): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port });
  let answer = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => (answer += chunk));
  socket.on("error", () => {});
  socket.write(text);
  await once(socket, "close");
  return answer;
}

test("startHealthServer() answers /livez and /readyz with 200 or 503 and the reasons as lines", async (t) => {
  const { get } = await serve(t, {
    live: () => ({ ok: false, reasons: ["No tick for 12 s"] }),
    ready: () => ({ ok: true, reasons: ["Names: pods are behind", "Names: nodes may not be listed"] }),
  });
  const live = await get("livez");
  assert.equal(live.status, 503);
  assert.equal(await live.text(), "not ok\nNo tick for 12 s\n");
  const ready = await get("readyz?verbose");
  assert.equal(ready.status, 200);
  assert.equal(await ready.text(), "ok\nNames: pods are behind\nNames: nodes may not be listed\n");
});

/** The second is what Prometheus 3 sends. */
const accepts = [
  { accept: "*/*", open: false },
  {
    accept:
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    open: true,
  },
  { accept: "application/openmetrics-text", open: true },
  { accept: 'application/openmetrics-text; version="1.0.0"', open: true },
  { accept: "application/openmetrics-text; version=0.0.1", open: false },
  { accept: "application/openmetrics-text;q=0", open: false },
  { accept: "text/plain;version=0.0.4;q=0.9, application/openmetrics-text;version=1.0.0;q=0.8", open: false },
  { accept: "application/openmetrics-text;q=seven", open: false },
];
for (const { accept, open } of accepts) {
  test(`startHealthServer() gives ${open ? "OpenMetrics" : "text 0.0.4"} for Accept: ${accept}`, async (t) => {
    const { get } = await serve(t);
    const answer = await get("metrics", { headers: { accept } });
    assert.equal(answer.headers.get("content-type"), open ? OPEN_METRICS_TYPE : PROMETHEUS_TEXT_TYPE);
    assert.equal(await answer.text(), open ? "open\n# EOF\n" : "text\n");
  });
}

test("startHealthServer() answers GET and HEAD only", async (t) => {
  const { get } = await serve(t);
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
    const answer = await get("metrics", { method });
    assert.equal(answer.status, 405, method);
    assert.equal(answer.headers.get("allow"), "GET, HEAD");
  }
  const head = await get("metrics", { method: "HEAD" });
  assert.equal(head.status, 200);
  assert.equal(head.headers.get("content-length"), "5");
  assert.equal(await head.text(), "");
});

test("startHealthServer() lets nothing run on its page, and knows no other path", async (t) => {
  const { get } = await serve(t);
  const page = await get("");
  assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
  assert.match(page.headers.get("content-security-policy") ?? "", /^default-src 'none';/);
  assert.equal(page.headers.get("x-content-type-options"), "nosniff");
  for (const path of ["metrics/", "%2e%2e/etc/passwd", "debug"]) assert.equal((await get(path)).status, 404);
});

test("startHealthServer() answers 500 to what a fault kept from being made, tells it and goes on", async (t) => {
  const fault = new Error("a bug");
  const { get, failures } = await serve(t, {
    metrics: () => {
      throw fault;
    },
  });
  const answer = await get("metrics");
  assert.equal(answer.status, 500);
  assert.doesNotMatch(await answer.text(), /a bug/);
  assert.deepEqual(failures, [fault]);
  assert.equal((await get("livez")).status, 200);
});

test("startHealthServer() refuses a head that is too large, and one that never ends", async (t) => {
  const { server } = await serve(t);
  const large = await talk(server.port, `GET /livez HTTP/1.1\r\nhost: a\r\nx: ${"y".repeat(9000)}\r\n\r\n`);
  assert.match(large, /^HTTP\/1\.1 431 /);
  const start = performance.now();
  const slow = await talk(server.port, "GET /livez HTTP/1.1\r\nhost: a\r\nx: ");
  assert.match(slow, /^HTTP\/1\.1 408 /);
  assert.ok(performance.now() - start < 8000);
});

test("startHealthServer() does not keep a connection on which a body comes", async (t) => {
  const { server } = await serve(t);
  const answer = await talk(server.port, "GET /livez HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n");
  assert.match(answer, /^HTTP\/1\.1 200 /);
  assert.match(answer, /^connection: close\r$/im);
});

test("startHealthServer() takes a bounded number of connections", async (t) => {
  const { server, get } = await serve(t);
  const sockets = Array.from({ length: 32 }, () => connect({ host: "127.0.0.1", port: server.port }));
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  const more = connect({ host: "127.0.0.1", port: server.port });
  more.on("error", () => {});
  await once(more, "close");
  for (const socket of sockets) socket.destroy();
  await Promise.all(sockets.map((socket) => once(socket, "close")));
  assert.equal((await get("livez")).status, 200);
});

test("startHealthServer() throws one sentence where the port or the address cannot be had", async (t) => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  t.after(() => taken.close());
  const { port } = taken.address() as { port: number };
  await assert.rejects(serve(t, { port }), (error) => {
    assert.ok(error instanceof SetupError);
    assert.equal(error.code, "port");
    assert.equal(
      error.message,
      `Cannot serve health and metrics on 127.0.0.1:${port}: another program has this port`,
    );
    return true;
  });
  await assert.rejects(serve(t, { host: "192.0.2.1" }), {
    message: "Cannot serve health and metrics on 192.0.2.1:0: listen says EADDRNOTAVAIL",
  });
});

test("startHealthServer() ends at once, kept connections and half requests included", async (t) => {
  const { server, get } = await serve(t);
  assert.equal((await get("livez")).status, 200);
  const half = connect({ host: "127.0.0.1", port: server.port });
  half.on("error", () => {});
  half.write("GET /livez HTTP/1.1\r\n");
  await once(half, "connect");
  const start = performance.now();
  await server[Symbol.asyncDispose]();
  assert.ok(performance.now() - start < 2000);
  await assert.rejects(get("livez"));
});
