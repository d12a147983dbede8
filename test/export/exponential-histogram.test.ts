import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AggregationTemporality,
  AggregationType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type ExponentialHistogram as SdkHistogram,
} from "@opentelemetry/sdk-metrics";
import fc from "fast-check";
import { ExponentialHistogram, exponentialSince } from "../../src/export/exponential-histogram.ts";

function measured(values: readonly number[]): ExponentialHistogram {
  const histogram = new ExponentialHistogram();
  for (const value of values) histogram.measure(value);
  return histogram;
}

async function measuredBySdk(values: readonly number[]): Promise<SdkHistogram> {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e9 });
  const provider = new MeterProvider({
    readers: [reader],
    views: [{ instrumentName: "*", aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }],
  });
  const histogram = provider.getMeter("test").createHistogram("h");
  for (const value of values) histogram.record(value);
  await provider.forceFlush();
  const [metrics] = exporter.getMetrics();
  await provider.shutdown();
  return metrics!.scopeMetrics[0]!.metrics[0]!.dataPoints[0]!.value as SdkHistogram;
}

test("ExponentialHistogram puts a value at a bound below it and one above the bound above", () => {
  const { scale, offset, counts } = measured([1, 2, 2.1, 4, 8]).buckets();
  const indices = counts.flatMap((count, i) => (count > 0 ? [offset + i] : []));
  assert.equal(scale, 5, "three doublings of 2^5 buckets are 96, of 2^6 they are more than 160");
  assert.deepEqual(indices, [-1, 31, 34, 63, 95]);
});

test("ExponentialHistogram begins as fine as it can and grows coarser to hold all in 160 buckets", () => {
  assert.deepEqual(measured([3]).buckets(), { scale: 20, zeroCount: 0, offset: 1661953, counts: [1] });
  const { scale, offset, counts } = measured([0.001, 1000]).buckets();
  assert.deepEqual({ scale, offset, buckets: counts.length }, { scale: 3, offset: -80, buckets: 160 });
});

test("ExponentialHistogram counts 0 and less apart, at scale 0 while there is nothing else", () => {
  assert.deepEqual(measured([0, -1]).buckets(), { scale: 0, zeroCount: 2, offset: 0, counts: [] });
});

test("ExponentialHistogram has the SDK's buckets for any times", async () => {
  const values = fc.array(fc.double({ min: 1e-7, max: 1e4, noNaN: true }), { minLength: 1, maxLength: 60 });
  const doublings = fc.array(
    fc.integer({ min: -10, max: 12 }).map((exponent) => 0.2 * 2 ** exponent),
    { minLength: 1, maxLength: 40 },
  );
  await fc.assert(
    fc.asyncProperty(fc.oneof(values, doublings), async (all) => {
      const { scale, zeroCount, positive } = await measuredBySdk(all);
      const { offset, bucketCounts: counts } = positive;
      assert.deepEqual(measured(all).buckets(), { scale, zeroCount, offset, counts });
    }),
    { numRuns: 60 },
  );
});

test("exponentialSince() gives what a histogram of the later values alone would, at the scale of all", () => {
  const times = fc.array(fc.double({ min: 0, max: 1e3, noNaN: true }), { maxLength: 40 });
  fc.assert(
    fc.property(times, times, (first, then) => {
      const histogram = measured(first);
      const before = histogram.buckets();
      for (const value of then) histogram.measure(value);
      const now = histogram.buckets();
      const since = exponentialSince(now, before);
      assert.equal(since.zeroCount, then.filter((value) => value <= 0).length);
      assert.ok(since.counts.every((count) => count >= 0));
      const positive = then.filter((value) => value > 0).length;
      assert.equal(
        since.counts.reduce((sum, count) => sum + count, 0),
        positive,
      );
      if (positive === 0) assert.deepEqual(since.counts, []);
      const own = measured(then).buckets();
      if (positive > 0) {
        const coarsened = new Map<number, number>();
        for (const [i, count] of own.counts.entries()) {
          const index = (own.offset + i) >> (own.scale - since.scale);
          if (count > 0) coarsened.set(index, (coarsened.get(index) ?? 0) + count);
        }
        const moved = new Map(
          since.counts.entries().flatMap(([i, count]) => (count > 0 ? [[since.offset + i, count]] : [])),
        );
        assert.deepEqual([...moved], [...coarsened]);
      }
    }),
  );
});
