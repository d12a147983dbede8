import assert from "node:assert/strict";
import { test } from "node:test";
import { joinMetricSources } from "../../src/export/metric-sources.ts";
import { SELF_METRICS } from "../../src/export/self-metric-definitions.ts";
import { SelfMetrics, type SelfReadings } from "../../src/export/self-metrics.ts";
import { readPoints, readValues } from "./read-points.ts";

const NOTHING = Object.fromEntries(
  Object.keys(SELF_METRICS).map((key) => [key, () => undefined]),
) as unknown as SelfReadings;

function someSelf(readings: Partial<SelfReadings>) {
  return new SelfMetrics({
    place: { node: "node-a", cluster: undefined },
    startUnixMs: 1_000,
    readings: { ...NOTHING, ...readings },
  });
}

test("SelfMetrics reads each metric when it is asked, and leaves out what is not known now", () => {
  let ticks = 3;
  const self = someSelf({ ticks: () => ticks });
  assert.deepEqual(readValues(self, "tcpretrans.ticks"), { "": 3 });
  ticks = 5;
  assert.deepEqual(readValues(self, "tcpretrans.ticks"), { "": 5 });
  assert.deepEqual(readValues(self, "tcpretrans.gaps"), {});
});

test("SelfMetrics has a family for every metric, with the place and the reading's own attributes on its points", () => {
  const dropped = { "tcpretrans.signal": "logs", "tcpretrans.reason": "queue_full" };
  const self = someSelf({ queueDropped: () => [{ attributes: dropped, value: 7 }] });
  const families = self.collect(0, "test");
  assert.deepEqual(
    families.map(({ name }) => name).sort(),
    Object.values(SELF_METRICS)
      .map(({ name }) => name)
      .sort(),
  );
  const [point] = families.find(({ name }) => name === "tcpretrans.queue.dropped")?.points ?? [];
  assert.deepEqual(point?.attributes, { "k8s.node.name": "node-a", ...dropped });
  assert.equal(
    families.every(({ isObserved }) => isObserved),
    true,
  );
});

test("SelfMetrics shows a counter that was not there before as new to each reader, since the last look", () => {
  const codes: string[] = [];
  const self = someSelf({
    exportFailures: () => codes.map((code) => ({ attributes: { "error.type": code }, value: 2 })),
  });
  const point = (nowUnixMs: number, reader: string) =>
    readPoints(self, "tcpretrans.export.failures", { nowUnixMs, reader }).get("error.type=503");
  point(61_000, "a");
  codes.push("503");
  const first = point(121_000, "a");
  assert.deepEqual([first?.isNew, first?.startUnixMs, first?.value], [true, 61_000, 2]);
  assert.equal(point(181_000, "a")?.isNew, false);
  assert.equal(point(181_000, "a")?.attributes, first?.attributes, "one object as long as it lives");
});

test("SelfMetrics gives what is there from the start the time of the start", () => {
  const self = someSelf({ ticks: () => 3 });
  const [point] = readPoints(self, "tcpretrans.ticks", { nowUnixMs: 61_000 }).values();
  assert.deepEqual([point?.startUnixMs, point?.isNew], [1_000, true]);
});

test("joinMetricSources() gives all families in order, and tells each source what was missed", () => {
  const missed: string[] = [];
  const source = (name: string) => ({
    collect: () => [{ name, unit: "{x}", kind: "counter", description: "", points: [] }] as const,
    missed: (reader: string, atMs: number) => missed.push(`${name} ${reader} ${atMs}`),
  });
  const both = joinMetricSources([source("a"), source("b")]);
  assert.deepEqual(
    both.collect(0, "test").map(({ name }) => name),
    ["a", "b"],
  );
  both.missed("otlp", 5);
  assert.deepEqual(missed, ["a otlp 5", "b otlp 5"]);
});
