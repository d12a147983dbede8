import assert from "node:assert/strict";
import { test } from "node:test";
import { type OtlpSettings, otlpTarget } from "../../../src/export/otlp/otlp-settings.ts";
import { otlpSettings } from "./settings.ts";

const HTTP = { protocol: "http/protobuf" } as const;

const CASES: readonly (readonly [
  settings: Partial<OtlpSettings>,
  shown: string,
  address: string,
  secure: boolean,
])[] = [
  [{ endpoint: "http://collector:4317" }, "http://collector:4317", "collector:4317", false],
  [{ endpoint: "https://collector:4317" }, "https://collector:4317", "collector:4317", true],
  [{ endpoint: "https://collector" }, "https://collector:443", "collector:443", true],
  [{ endpoint: "http://collector:80" }, "http://collector:80", "collector:80", false],
  [{ endpoint: "http://collector:4317/ignored" }, "http://collector:4317", "collector:4317", false],
  [{ endpoint: "collector:4317" }, "https://collector:4317", "collector:4317", true],
  [{ endpoint: "collector:4317", insecure: true }, "http://collector:4317", "collector:4317", false],
  [{ endpoint: "https://collector:4317", insecure: true }, "https://collector:4317", "collector:4317", true],
  [{ endpoint: "http://[fd00::1]:4317" }, "http://[fd00::1]:4317", "[fd00::1]:4317", false],
  [{ endpoint: "unix:/run/otlp.sock" }, "unix:///run/otlp.sock", "unix:///run/otlp.sock", false],
  [{ endpoint: "unix:///run/otlp.sock" }, "unix:///run/otlp.sock", "unix:///run/otlp.sock", false],
  [{ ...HTTP, endpoint: "http://c:4318" }, "http://c:4318/v1/logs", "http://c:4318/v1/logs", false],
  [{ ...HTTP, endpoint: "https://c/otlp/" }, "https://c/otlp/v1/logs", "https://c/otlp/v1/logs", true],
  [{ ...HTTP, endpoint: "https://c/logs", isSignalEndpoint: true }, "https://c/logs", "https://c/logs", true],
  [
    { ...HTTP, endpoint: "https://user:secret@c/x?key=1" },
    "https://c/x/v1/logs",
    "https://user:secret@c/x/v1/logs?key=1",
    true,
  ],
];

for (const [settings, shown, address, secure] of CASES) {
  test(`otlpTarget() sends to ${shown} for ${JSON.stringify(settings)}`, () => {
    assert.deepEqual(otlpTarget("logs", otlpSettings(1, settings)), {
      signal: "logs",
      shown,
      address,
      secure,
    });
  });
}
