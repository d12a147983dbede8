import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { bundle } from "../../../scripts/bundle.ts";
import type { OtlpSettings } from "../../../src/export/otlp/otlp-settings.ts";
import { grpcCollector } from "./grpc-collector.ts";
import { httpCollector } from "./http-collector.ts";
import { otlpSettings, serverTls } from "./settings.ts";

/** Nothing but the bundle, and no node_modules above it: there it would find what is not in it. */
let directory = "";

before(async () => {
  directory = mkdtempSync(join(tmpdir(), "bundle-"));
  await bundle({ exports: join(import.meta.dirname, "bundle-entry.ts") }, directory);
});
after(() => rmSync(directory, { recursive: true }));

async function runBundle(otlp: OtlpSettings): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "exports.js", JSON.stringify(otlp)],
    { cwd: directory },
  );
  return stdout;
}

function overTls(port: number): Partial<OtlpSettings> {
  const file = (name: string) => join(serverTls().directory, name);
  return {
    endpoint: `https://localhost:${port}`,
    certificate: file("authority.crt"),
    clientCertificate: file("client.crt"),
    clientKey: file("client.key"),
  };
}

for (const protocol of ["grpc", "http/protobuf"] as const) {
  for (const tls of [false, true]) {
    test(`bundle() exports records, spans and metrics by ${protocol}${tls ? " over TLS with a client certificate" : ""} with nothing else there`, async (t) => {
      const options = tls ? { tls: serverTls(true) } : {};
      const collector = await (protocol === "grpc" ? grpcCollector(t, options) : httpCollector(t, options));
      const stdout = await runBundle(
        otlpSettings(collector.port, { protocol, ...(tls ? overTls(collector.port) : {}) }),
      );
      t.diagnostic(stdout.replaceAll("\n", ", "));
      assert.deepEqual(collector.received.map(({ name }) => name).sort(), ["a record", "a span"]);
      assert.equal(collector.metrics.length, 1);
      assert.deepEqual(new Set(collector.clients), new Set([tls ? "client" : ""]));
    });
  }
}
