import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders, request } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { readerOf } from "../../src/agent/reader-of.ts";

const PROMETHEUS = { "user-agent": "Prometheus/3.5.0", "x-prometheus-scrape-timeout-seconds": "10" };

/** Who a server takes requests with these headers for, all from one address. */
async function readers(t: TestContext, all: readonly IncomingHttpHeaders[]): Promise<readonly string[]> {
  const server = createServer((incoming, response) => response.end(readerOf(incoming)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const ask = (headers: IncomingHttpHeaders) =>
    new Promise<string>((resolve, reject) => {
      const asking = request({ host: "127.0.0.1", port, headers, agent: false }, async (response) => {
        let text = "";
        for await (const part of response.setEncoding("utf8")) text += part;
        resolve(text);
      });
      asking.on("error", reject).end();
    });
  return await Promise.all(all.map(ask));
}

test("readerOf() is the same for each scrape of a program, whatever it accepts this time", async (t) => {
  const scrapes = [PROMETHEUS, { ...PROMETHEUS, accept: "text/plain" }];
  assert.equal(new Set(await readers(t, scrapes)).size, 1);
});

test("readerOf() tells programs behind one address apart by name and scrape timeout", async (t) => {
  const programs = [
    PROMETHEUS,
    { ...PROMETHEUS, "x-prometheus-scrape-timeout-seconds": "25" },
    { "user-agent": "otelcol/0.140" },
    { "user-agent": "curl/8" },
    {},
  ];
  assert.equal(new Set(await readers(t, programs)).size, programs.length);
});

test("readerOf() keeps no more of a header than tells programs apart", async (t) => {
  const [reader = ""] = await readers(t, [{ "user-agent": "x".repeat(8000) }]);
  assert.ok(reader.length < 150, `${reader.length}`);
});
