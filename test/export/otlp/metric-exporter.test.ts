import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import type { ExportResult } from "@opentelemetry/core";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { otlpMetricExporter } from "../../../src/export/otlp/metric-exporter.ts";
import { GRPC, grpcCollector } from "./grpc-collector.ts";
import { httpCollector } from "./http-collector.ts";
import { otlpSettings, until } from "./settings.ts";

/** Passes connections on to a port, and tells how many there are. */
async function relayTo(t: TestContext, port: number) {
  let open = 0;
  let total = 0;
  const relay = createServer((socket) => {
    open++;
    total++;
    const onward = connect(port, "127.0.0.1");
    for (const each of [socket, onward]) each.on("error", () => {});
    socket.pipe(onward).pipe(socket);
    socket.on("close", () => {
      open--;
      onward.destroy();
    });
  });
  relay.listen(0, "127.0.0.1");
  await once(relay, "listening");
  t.after(() => relay.close());
  return {
    port: (relay.address() as AddressInfo).port,
    get open() {
      return open;
    },
    get total() {
      return total;
    },
  };
}

for (const protocol of ["grpc", "http/protobuf"] as const) {
  test(`otlpMetricExporter() by ${protocol} leaves no connection open behind exports that are refused`, async (t) => {
    const collector =
      protocol === "grpc"
        ? await grpcCollector(t, { behave: () => ({ code: GRPC.UNAUTHENTICATED }) })
        : await httpCollector(t, { behave: () => ({ status: 401 }) });
    const relay = await relayTo(t, collector.port);
    const sdk = { takePartialSuccess: () => ({ rejected: 0, message: "" }) };
    const settings = otlpSettings(relay.port, { protocol });
    const exporter = otlpMetricExporter(settings, { userAgent: "test", sdk, rejected: () => {} });
    const metrics = { resource: resourceFromAttributes({}), scopeMetrics: [] };
    for (let i = 0; i < 5; i++) {
      const { error } = await new Promise<ExportResult>((resolve) => exporter.export(metrics, resolve));
      assert.match(error?.message ?? "", /^Cannot export metrics to .* it answered (401|UNAUTHENTICATED)/);
    }
    assert.ok(relay.total > 0);
    await until("all are closed", () => relay.open === 0);
    await exporter.shutdown();
  });
}
