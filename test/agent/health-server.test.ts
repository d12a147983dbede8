import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import type { MetricsAsk } from "../../src/agent/health-answers.ts";
import { type HealthServerOptions, startHealthServer } from "../../src/agent/health-server.ts";
import { OPEN_METRICS_TYPE, PROMETHEUS_TEXT_TYPE } from "../../src/agent/wants-open-metrics.ts";
import { PAGE_POLICY } from "../../src/export/page-style.ts";
import { SetupError } from "../../src/syscall/setup-error.ts";

async function serve(t: TestContext, options: Partial<HealthServerOptions> = {}) {
  const failures: unknown[] = [];
  const server = await startHealthServer({
    host: "127.0.0.1",
    port: 0,
    now: () => performance.now(),
    live: () => ({ ok: true, lines: [] }),
    ready: () => ({ ok: true, lines: [] }),
    metrics: ({ openMetrics }) => (openMetrics ? "open\n# EOF\n" : "text\n"),
    page: () => "<!doctype html><p>page",
    failed: (error) => failures.push(error),
    answered: () => {},
    ...options,
  });
  t.after(() => server[Symbol.asyncDispose]());
  return { server, failures, get: (path: string, init?: RequestInit) => fetch(`${server.url}${path}`, init) };
}

test("startHealthServer() answers /livez and /readyz with 200 or 503 and each part as a line", async (t) => {
  const { get } = await serve(t, {
    live: () => ({ ok: false, lines: ["pump: failing: It has not looked for 42 s"] }),
    ready: () => ({ ok: true, lines: ["pump: ok: It ticks", "names: nodes: degraded: No permission"] }),
  });
  const live = await get("livez");
  assert.equal(live.status, 503);
  assert.equal(await live.text(), "not ok\npump: failing: It has not looked for 42 s\n");
  const ready = await get("readyz?verbose");
  assert.equal(ready.status, 200);
  assert.equal(await ready.text(), "ok\npump: ok: It ticks\nnames: nodes: degraded: No permission\n");
});

test("startHealthServer() tells of each answer by path and status, of refused ones too", async (t) => {
  const told: string[] = [];
  const { get } = await serve(t, {
    ready: () => ({ ok: false, lines: [] }),
    page: () => {
      throw new Error("a fault");
    },
    answered: (path, status) => told.push(`${path} ${status}`),
    limits: { costly: { burst: 2, perSecond: 0 } },
  });
  for (const path of ["livez", "readyz?verbose", "metrics", "?x=1", "metrics", "none"]) await get(path);
  await get("livez", { method: "POST" });
  await get("metrics", { method: "HEAD" });
  assert.deepEqual(told, [
    ...["/livez 200", "/readyz 503", "/metrics 200", "/ 500", "/metrics 503", "/none 404", "/livez 405"],
    "/metrics 200",
  ]);
});

test("startHealthServer() gives metrics as they are asked for, and tells who asks", async (t) => {
  const asked: MetricsAsk[] = [];
  const { get } = await serve(t, {
    metrics: (ask) => {
      asked.push(ask);
      return "text\n";
    },
  });
  const text = await get("metrics", { headers: { "user-agent": "curl/8" } });
  assert.equal(text.headers.get("content-type"), PROMETHEUS_TEXT_TYPE);
  const scrape = { "user-agent": "Prometheus/3", "x-prometheus-scrape-timeout-seconds": "10" };
  const open = await get("metrics", { headers: { ...scrape, accept: "application/openmetrics-text" } });
  assert.equal(open.headers.get("content-type"), OPEN_METRICS_TYPE);
  assert.equal(open.headers.get("vary"), "Accept");
  assert.deepEqual(asked, [
    { openMetrics: false, reader: "127.0.0.1 curl/8 " },
    { openMetrics: true, reader: "127.0.0.1 Prometheus/3 10" },
  ]);
});

test("startHealthServer() gives a head without making a page or a scrape of it", async (t) => {
  let made = 0;
  const make = () => {
    made++;
    return "made\n";
  };
  const { get } = await serve(t, { metrics: make, page: make });
  for (const path of ["metrics", ""]) {
    const head = await get(path, { method: "HEAD" });
    assert.equal(head.status, 200);
    assert.equal(await head.text(), "");
  }
  assert.equal(made, 0);
  const live = await get("livez", { method: "HEAD" });
  assert.equal(live.headers.get("content-length"), "3");
});

test("startHealthServer() answers GET and HEAD only", async (t) => {
  const { get } = await serve(t);
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
    const answer = await get("metrics", { method });
    assert.equal(answer.status, 405, method);
    assert.equal(answer.headers.get("allow"), "GET, HEAD");
  }
});

test("startHealthServer() lets nothing run on its page, gives it what was asked, and knows no other path", async (t) => {
  const searches: string[] = [];
  const { get } = await serve(t, {
    page: (search) => {
      searches.push(search);
      return "<p>page";
    },
  });
  const page = await get("?refresh=0&x=?");
  assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
  assert.equal(page.headers.get("content-security-policy"), PAGE_POLICY);
  assert.equal(page.headers.get("x-content-type-options"), "nosniff");
  await get("");
  assert.deepEqual(searches, ["?refresh=0&x=?", ""]);
  for (const path of ["metrics/", "%2e%2e/etc/passwd", "debug", "favicon.ico"]) {
    const answer = await get(path);
    assert.equal(answer.status, 404);
    assert.match(answer.headers.get("content-security-policy") ?? "", /^default-src 'none';/);
  }
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

test("startHealthServer() on loopback does not answer to a name that someone else points at it", async (t) => {
  const { server } = await serve(t);
  const ask = async (host: string) => {
    const socket = connect({ host: "127.0.0.1", port: server.port });
    socket.write(`GET / HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
    const [head] = await once(socket.setEncoding("latin1"), "data");
    socket.destroy();
    return String(head).slice(9, 12);
  };
  assert.equal(await ask("evil.example:9464"), "421");
  assert.equal(await ask(`localhost:${server.port}`), "200");
});

for (const host of ["::1", "::", "0.0.0.0"]) {
  test(`startHealthServer() serves on ${host} and says where it can be reached`, async (t) => {
    const { server, get } = await serve(t, { host });
    assert.equal(server.host, host);
    assert.equal((await get("livez")).status, 200);
  });
}

test("startHealthServer() on :: is reached by both versions of IP", async (t) => {
  const { server } = await serve(t, { host: "::" });
  for (const host of ["127.0.0.1", "[::1]"])
    assert.equal((await fetch(`http://${host}:${server.port}/readyz`)).status, 200, host);
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
  await assert.rejects(serve(t, { host: "2001:db8::1", port: 80 }), {
    message: "Cannot serve health and metrics on [2001:db8::1]:80: listen says EADDRNOTAVAIL",
  });
});

test("startHealthServer() ends at once, kept connections and half requests included", async (t) => {
  const { server, get } = await serve(t, { limits: { closingMs: 50, headersMs: 60_000, requestMs: 60_000 } });
  assert.equal((await get("livez")).status, 200);
  const half = connect({ host: "127.0.0.1", port: server.port });
  half.on("error", () => {});
  half.write("GET /livez HTTP/1.1\r\n");
  await once(half, "connect");
  await server[Symbol.asyncDispose]();
  await assert.rejects(get("livez"));
});
