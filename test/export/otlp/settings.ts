import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { PodRecord } from "../../../src/event/cluster.ts";
import type { ExportClock, ExportLog } from "../../../src/export/otlp/export-clock.ts";
import type { ExportCounts } from "../../../src/export/otlp/export-counts.ts";
import type { OtlpSettings } from "../../../src/export/otlp/otlp-settings.ts";
import { listenToSdk } from "../../../src/export/otlp/sdk-diag.ts";
import { openTelemetry, type Telemetry } from "../../../src/export/otlp/telemetry.ts";
import type { TelemetryOptions } from "../../../src/export/otlp/telemetry-options.ts";
import type { ServerTls } from "./grpc-collector.ts";

/** Settings for a collector on loopback. */
export function otlpSettings(port: number, other: Partial<OtlpSettings> = {}): OtlpSettings {
  return {
    protocol: "grpc",
    endpoint: `http://127.0.0.1:${port}`,
    isSignalEndpoint: false,
    headers: {},
    timeoutMs: 5_000,
    compression: "gzip",
    insecure: false,
    certificate: undefined,
    clientCertificate: undefined,
    clientKey: undefined,
    ...other,
  };
}

export interface FastClock extends ExportClock {
  /** Every wait that was asked for, in ms of this clock. */
  readonly waits: number[];
}

/** A clock that runs `factor` times as fast as the machine's. */
export function fastClock(factor = 1, random: () => number = Math.random): FastClock {
  const waits: number[] = [];
  return {
    waits,
    monotonicMs: () => performance.now() * factor,
    random,
    sleep: async (ms, signal) => {
      waits.push(ms);
      await wait(ms / factor, undefined, { signal }).catch(() => undefined);
    },
  };
}

export interface VirtualClock extends FastClock {
  /** Lets time pass to the end of each wait in turn, until nobody waits, or for so many waits. */
  run(waits?: number): Promise<void>;
}

/** A clock that stands still until it is run. */
export function virtualClock(random = 0.5): VirtualClock {
  let nowMs = 0;
  const waits: number[] = [];
  const sleepers: { readonly atMs: number; readonly wake: () => void }[] = [];
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  };
  return {
    waits,
    monotonicMs: () => nowMs,
    random: () => random,
    sleep: (ms, signal) => {
      if (signal.aborted) return Promise.resolve();
      waits.push(ms);
      return new Promise((resolve) => {
        const sleeper = { atMs: nowMs + ms, wake: resolve };
        sleepers.push(sleeper);
        signal.addEventListener("abort", () => {
          if (sleepers.includes(sleeper)) sleepers.splice(sleepers.indexOf(sleeper), 1);
          resolve();
        });
      });
    },
    run: async (limit = 10_000) => {
      await settle();
      for (let count = 0; count < limit && sleepers.length > 0; count++) {
        sleepers.sort((one, other) => one.atMs - other.atMs);
        const next = sleepers.shift()!;
        nowMs = next.atMs;
        next.wake();
        await settle();
      }
    },
  };
}

/** A log that keeps what is said. */
export function keptLog(): ExportLog & { readonly said: string[] } {
  const said: string[] = [];
  return { said, info: (message) => said.push(message), warn: (message) => said.push(message) };
}

/** Telemetry with nothing on. */
export function telemetryOptions(other: Partial<TelemetryOptions> = {}): TelemetryOptions {
  const log = other.log ?? keptLog();
  return {
    identity: {
      serviceName: undefined,
      version: "1.2.3",
      self: undefined,
      hostName: "host-1",
      nodeName: "node-1",
      clusterName: "cluster-1",
      attributes: {},
    },
    resourceMode: "agent",
    spanLimits: {},
    sampleRatio: 1,
    logs: { exporter: "none" },
    logBatch: { maxItems: 512, delayMs: 20, queueRecords: 100_000 },
    logRecordLimits: {},
    traces: { exporter: "none" },
    traceBatch: { maxItems: 512, delayMs: 20, queueRecords: 100_000 },
    metricReaders: [],
    queue: { maxBytes: 32 * 1024 * 1024, maxRecords: 100_000 },
    sdk: listenToSdk(log, "warn"),
    log,
    clock: fastClock(),
    unixMs: () => Date.now(),
    ...other,
  };
}

/** Telemetry that ends with the test. */
export function openedTelemetry(t: TestContext, options: Partial<TelemetryOptions>): Telemetry {
  const telemetry = openTelemetry(telemetryOptions(options));
  t.after(() => telemetry.close({ queueMs: 1000, metricsMs: 1000 }));
  return telemetry;
}

const FIXTURES = join(import.meta.dirname, "../../fixtures/tls");

/** A server's certificate, of test/fixtures/tls; with `asksForClient` it wants a client's of the same authority. */
export function serverTls(asksForClient = false): ServerTls & { readonly directory: string } {
  const read = (name: string) => readFileSync(join(FIXTURES, name));
  return {
    directory: FIXTURES,
    cert: read("server.crt"),
    key: read("server.key"),
    ca: asksForClient ? read("authority.crt") : undefined,
  };
}

/** Requests of a signal that failed, whatever the code. */
export function failedRequests({ failures }: ExportCounts): number {
  return [...failures.values()].reduce((sum, count) => sum + count, 0);
}

/** A pod of Deployment web. */
export function podRecord(other: Partial<PodRecord> = {}): PodRecord {
  return {
    uid: "uid-1",
    namespace: "shop",
    name: "web-5d4-x",
    nodeName: "node-1",
    hostNetwork: false,
    workload: { kind: "Deployment", name: "web", inferred: false },
    naming: undefined,
    containers: new Map([["a".repeat(64), "app"]]),
    ready: true,
    readySinceMs: undefined,
    terminatingSinceMs: undefined,
    endedMs: undefined,
    ...other,
  };
}

/** Waits until something is so; fails with what was not when it takes too long. */
export async function until(what: string, isSo: () => boolean, withinMs = 20_000): Promise<void> {
  const giveUp = performance.now() + withinMs;
  while (!isSo()) {
    if (performance.now() > giveUp) throw new Error(`Not within ${withinMs} ms: ${what}`);
    await wait(5);
  }
}
