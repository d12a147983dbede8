import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { MetricFamily, MetricPoint } from "../../src/export/metric-family.ts";
import { prometheusName } from "../../src/export/prometheus-name.ts";
import { formatPrometheus } from "../../src/export/prometheus-text.ts";
import { parsePrometheus } from "../support/prometheus-text.ts";

function aPoint(value: MetricPoint["value"], change: Partial<MetricPoint> = {}): MetricPoint {
  return {
    attributes: { "k8s.node.name": "node-a" },
    startUnixMs: 0,
    isNew: false,
    podUid: undefined,
    value,
    ...change,
  };
}

const RETRANSMITS: MetricFamily = {
  name: "tcp.retransmits",
  unit: "{retransmit}",
  kind: "counter",
  description: "Retransmits",
  points: [
    aPoint(3),
    aPoint(23, { attributes: { "k8s.node.name": "node-b", "otel.metric.overflow": true } }),
  ],
};
const WAITS: MetricFamily = {
  name: "tcp.retransmit.timeout",
  unit: "s",
  kind: "histogram",
  description: "Timeouts",
  points: [aPoint({ bounds: [0.2, 0.4], counts: [1, 2, 3], sum: 4.5, exponential: undefined })],
};
const AGE: MetricFamily = {
  name: "tcpretrans.watch.age",
  unit: "s",
  kind: "gauge",
  description: 'Says "\\" and\nmore',
  points: [aPoint(0.25, { attributes: {} })],
};

test("formatPrometheus() writes text 0.0.4", () => {
  assert.equal(
    formatPrometheus([RETRANSMITS, WAITS, AGE], { openMetrics: false }),
    `# HELP tcp_retransmits_total Retransmits
# TYPE tcp_retransmits_total counter
tcp_retransmits_total{k8s_node_name="node-a"} 3
tcp_retransmits_total{k8s_node_name="node-b",otel_metric_overflow="true"} 23
# HELP tcp_retransmit_timeout_seconds Timeouts
# TYPE tcp_retransmit_timeout_seconds histogram
tcp_retransmit_timeout_seconds_bucket{k8s_node_name="node-a",le="0.2"} 1
tcp_retransmit_timeout_seconds_bucket{k8s_node_name="node-a",le="0.4"} 3
tcp_retransmit_timeout_seconds_bucket{k8s_node_name="node-a",le="+Inf"} 6
tcp_retransmit_timeout_seconds_sum{k8s_node_name="node-a"} 4.5
tcp_retransmit_timeout_seconds_count{k8s_node_name="node-a"} 6
# HELP tcpretrans_watch_age_seconds Says "\\\\" and\\nmore
# TYPE tcpretrans_watch_age_seconds gauge
tcpretrans_watch_age_seconds 0.25
`,
  );
});

test("formatPrometheus() writes OpenMetrics 1.0", () => {
  assert.equal(
    formatPrometheus([RETRANSMITS, AGE], { openMetrics: true }),
    `# TYPE tcp_retransmits counter
# HELP tcp_retransmits Retransmits
tcp_retransmits_total{k8s_node_name="node-a"} 3
tcp_retransmits_total{k8s_node_name="node-b",otel_metric_overflow="true"} 23
# TYPE tcpretrans_watch_age_seconds gauge
# UNIT tcpretrans_watch_age_seconds seconds
# HELP tcpretrans_watch_age_seconds Says \\"\\\\\\" and\\nmore
tcpretrans_watch_age_seconds 0.25
# EOF
`,
  );
});

test("formatPrometheus() leaves out a family without points", () => {
  const nothing = { ...RETRANSMITS, points: [] };
  assert.equal(formatPrometheus([nothing], { openMetrics: false }), "");
  assert.equal(formatPrometheus([nothing], { openMetrics: true }), "# EOF\n");
});

test("formatPrometheus() shows what is new to its reader at 0, but a gauge as it is", () => {
  const asNew = ({ points, ...family }: MetricFamily): MetricFamily => ({
    ...family,
    points: [...points].map((point) => ({ ...point, isNew: true })),
  });
  const memory = { ...AGE, name: "memory", kind: "updowncounter" } as const;
  const text = formatPrometheus([RETRANSMITS, WAITS, AGE, memory].map(asNew), { openMetrics: true });
  const [retransmits, waits, age, upAndDown] = parsePrometheus(text, { openMetrics: true });
  assert.deepEqual(
    retransmits?.samples.map(({ value }) => value),
    [0, 0],
  );
  assert.deepEqual(
    waits?.samples.map(({ value }) => value),
    [0, 0, 0, 0, 0],
  );
  assert.equal(age?.samples[0]?.value, 0.25);
  assert.deepEqual([upAndDown?.type, upAndDown?.samples[0]?.value], ["gauge", 0.25]);
});

for (const openMetrics of [false, true]) {
  const format = openMetrics ? "OpenMetrics 1.0" : "text 0.0.4";
  test(`formatPrometheus() writes any values, labels and descriptions so that they are read back from ${format}`, () => {
    const text = fc.string({ unit: "grapheme" });
    const point = fc.record({ value: fc.double({ min: 0, noNaN: true }), label: text });
    fc.assert(
      fc.property(
        fc.uniqueArray(point, { minLength: 1, selector: ({ label }) => label }),
        text,
        (points, help) => {
          const family: MetricFamily = {
            name: "some.gauge",
            unit: "{thing}",
            kind: "gauge",
            description: help,
            points: points.map(({ value, label }) => aPoint(value, { attributes: { "a.label": label } })),
          };
          const [read] = parsePrometheus(formatPrometheus([family], { openMetrics }), { openMetrics });
          assert.equal(read?.help, help);
          assert.deepEqual(
            read?.samples,
            points.map(({ value, label }) => ({
              name: "some_gauge",
              labels: { a_label: label },
              value: value + 0,
            })),
          );
        },
      ),
    );
  });
}

// As TestPromNormalizeName… of prometheus/otlptranslator has them for what we use.
const names = [
  {
    name: "tcp.retransmit.segments",
    unit: "{segment}",
    kind: "counter",
    sample: "tcp_retransmit_segments_total",
  },
  { name: "tcp.stall.duration", unit: "s", kind: "histogram", sample: "tcp_stall_duration_seconds" },
  { name: "tcpretrans.tick.time", unit: "s", kind: "counter", sample: "tcpretrans_tick_time_seconds_total" },
  { name: "tcpretrans.queue.size", unit: "By", kind: "gauge", sample: "tcpretrans_queue_size_bytes" },
  { name: "some.bytes.held", unit: "By", kind: "gauge", sample: "some_bytes_held" },
  {
    name: "process.memory.usage",
    unit: "By",
    kind: "updowncounter",
    sample: "process_memory_usage_bytes",
  },
  { name: "uptime.seconds", unit: "s", kind: "counter", sample: "uptime_seconds_total" },
  { name: "loss_probes.seen", unit: "{probe}", kind: "counter", sample: "loss_probes_seen_total" },
] as const;

for (const { sample, ...metric } of names) {
  test(`prometheusName() calls ${metric.name} in ${metric.unit} ${sample}, as Prometheus's OTLP receiver does`, () => {
    assert.equal(prometheusName(metric).sample, sample);
  });
}

test("prometheusName() gives OpenMetrics a unit only where the family's name ends with it", () => {
  const unitOf = (name: string) => prometheusName({ name, unit: "By", kind: "gauge" }).unit;
  assert.equal(unitOf("queue.size"), "bytes");
  assert.equal(unitOf("queue.bytes"), "bytes");
  assert.equal(unitOf("bytes.queued"), undefined);
});
