import type { Cause } from "../../src/event/tcp-event.ts";
import type { Counted, EventRow, PageModel, PairRow } from "../../src/export/page-model.ts";

const NOW = Date.UTC(2026, 10, 26, 2, 14, 5, 250);

export function counted(
  causes: readonly (readonly [Cause, number])[],
  change: Partial<Counted> = {},
): Counted {
  const segments = causes.reduce((sum, [, count]) => sum + count, 0);
  return { segments, failed: 0, stallSeconds: 0, causes, ...change };
}

const QUIET = counted([]);

/** A node on which nothing has happened. */
export const QUIET_PAGE: PageModel = {
  version: "0.1.0",
  node: "node-a",
  cluster: "prod-eu-1",
  nowUnixMs: NOW,
  startedUnixMs: NOW - 192_000,
  refreshSeconds: 5,
  ready: true,
  capture: { rung: "kprobe", blind: [] },
  coverage: {
    segments: { seen: 0, kernel: 0 },
    lossProbes: { seen: 0, kernel: 0 },
    estimate: undefined,
    lost: [],
  },
  parts: [{ name: "pump", state: "ok", sentence: "It ticks", remedy: undefined }],
  activity: {
    perSecond: 0,
    rates: new Array(59).fill(0),
    events: 0,
    recent: QUIET,
    total: QUIET,
    pairs: [],
    otherPairs: { pairs: 0, segments: 0 },
    last: [],
  },
  exports: [],
};

const PAIRS: readonly PairRow[] = [
  {
    source: "shop/cart-7d4f9c6b5-x2xkq",
    destination: "payments/ledger-0",
    recent: counted(
      [
        ["timeout", 214],
        ["slow_start", 171],
        ["tail_loss_probe", 38],
        ["fast", 12],
      ],
      { stallSeconds: 83.4 },
    ),
    total: counted([["timeout", 18_204]], { stallSeconds: 5210 }),
  },
  {
    source: "ingress/nginx-ingress-controller-8xk2v",
    destination: "external",
    recent: counted([
      ["fast", 96],
      ["tail_loss_probe", 31],
    ]),
    total: counted([["fast", 1_204_331]], { failed: 12 }),
  },
  {
    source: "search/indexer-5c9d8f7b4-mm8qz",
    destination: "node node-b",
    recent: counted([["syn", 9]], { failed: 3, stallSeconds: 21 }),
    total: counted([["syn", 412]], { failed: 88, stallSeconds: 1203 }),
  },
  {
    source: "node node-a",
    destination: "kube-system/coredns-6f6b679f8f-2kzvw",
    recent: counted([["syn_ack", 2]], { stallSeconds: 3.1 }),
    total: counted([["syn_ack", 17]], { stallSeconds: 40 }),
  },
  {
    source: "shop/web-6b8d4c5f9-l4h7n",
    destination: "svc shop/prices",
    recent: QUIET,
    total: counted([["reordering", 1_930]]),
  },
  {
    source: "monitoring/prometheus-k8s-0",
    destination: "10.8.0.0/16 office VPN",
    recent: QUIET,
    total: counted([
      ["mtu", 44],
      ["timeout", 6],
    ]),
  },
];

const LAST: readonly Pick<EventRow, "cause" | "segments" | "outcome" | "source" | "destination">[] = [
  [
    "timeout",
    1,
    "sent",
    "shop/cart-7d4f9c6b5-x2xkq",
    "svc payments/ledger (payments/ledger-0) [pod not ready for 41 s]",
  ],
  [
    "slow_start",
    10,
    "sent",
    "shop/cart-7d4f9c6b5-x2xkq",
    "svc payments/ledger (payments/ledger-0) [pod not ready for 41 s]",
  ],
  ["fast", 3, "sent", "ingress/nginx-ingress-controller-8xk2v", "external"],
  ["tail_loss_probe", 1, "sent", "ingress/nginx-ingress-controller-8xk2v", "external"],
  [
    "syn",
    0,
    "failed: EHOSTUNREACH",
    "search/indexer-5c9d8f7b4-mm8qz",
    "node node-b [node not ready for 3 min]",
  ],
  ["syn", 1, "sent", "search/indexer-5c9d8f7b4-mm8qz", "node node-b [node not ready for 3 min]"],
  ["syn_ack", 1, "sent", "node node-a", "kube-system/coredns-6f6b679f8f-2kzvw"],
].map(([cause, segments, outcome, source, destination]) => {
  return { cause, segments, outcome, source, destination } as EventRow;
});

function lastEvents(count: number): readonly EventRow[] {
  return Array.from({ length: count }, (_, i) => {
    const row = LAST[i % LAST.length]!;
    const v6 = i % 4 === 2;
    return {
      ...row,
      unixMs: NOW - 120 - i * 437,
      kind: row.cause === "tail_loss_probe" ? "loss_probe" : "retransmit",
      failed: row.outcome.startsWith("failed"),
      sourceAddress: v6
        ? `[fd00:10:244:1::${(17 + i).toString(16)}]:${41020 + i}`
        : `10.244.1.${17 + i}:${53874 + i}`,
      destinationAddress: v6 ? "[2001:db8:85a3::8a2e:370:7334]:443" : `10.244.2.${9 + i}:8443`,
    };
  });
}

/** A node on a bad night. */
export const BUSY_PAGE: PageModel = {
  ...QUIET_PAGE,
  startedUnixMs: NOW - 187_000_000,
  coverage: {
    segments: { seen: 1_241_302, kernel: 1_241_306 },
    lossProbes: { seen: 88_120, kernel: 88_120 },
    estimate: undefined,
    lost: [
      { what: "records overwritten in the ring buffer before they were read", count: 3 },
      { what: "runs of a probe that the kernel left out", count: 1 },
      { what: "records without sense", count: 0 },
    ],
  },
  parts: [
    { name: "pump", state: "ok", sentence: "It ticks", remedy: undefined },
    {
      name: "probes",
      state: "degraded",
      sentence: "Another program switched them off 41 s ago (gaps so far: 1); they are in place again",
      remedy: "Find what uses /sys/kernel/tracing on this node if that goes on",
    },
    {
      name: "names: nodes",
      state: "degraded",
      sentence:
        'Cannot list nodes: grant "list" on nodes to system:serviceaccount:tcpretrans:tcpretrans; meanwhile ends are named without them',
      remedy: undefined,
    },
    {
      name: "export: logs",
      state: "degraded",
      sentence:
        "Cannot export logs to collector.monitoring:4317: connection refused; check that a Collector listens there, or correct otlp.endpoint",
      remedy: undefined,
    },
  ],
  activity: {
    perSecond: 41.2,
    rates: Array.from({ length: 59 }, (_, i) => {
      return i < 12 ? 0 : Math.round(30 * Math.abs(Math.sin(i / 5)) + 7 * Math.abs(Math.cos(i * 2.1)));
    }),
    events: 901_204,
    recent: counted(
      [
        ["timeout", 214],
        ["slow_start", 171],
        ["fast", 108],
        ["tail_loss_probe", 69],
        ["syn", 9],
        ["syn_ack", 2],
      ],
      { failed: 3, stallSeconds: 107.5 },
    ),
    total: counted(
      [
        ["fast", 1_204_331],
        ["timeout", 18_210],
        ["slow_start", 14_020],
        ["tail_loss_probe", 2_302],
        ["reordering", 1_930],
        ["syn", 412],
        ["mtu", 44],
        ["syn_ack", 17],
      ],
      { failed: 100, stallSeconds: 6453 },
    ),
    pairs: PAIRS,
    otherPairs: { pairs: 214, segments: 4_418 },
    last: lastEvents(30),
  },
  exports: [
    {
      signal: "metrics",
      to: "otlp/grpc collector.monitoring:4317",
      state: "ok",
      problem: undefined,
      queue: undefined,
      sent: 1_204_800,
      dropped: 0,
      lastSuccessUnixMs: NOW - 12_000,
    },
    {
      signal: "logs",
      to: "otlp/grpc collector.monitoring:4317",
      state: "degraded",
      problem: "UNAVAILABLE",
      queue: { records: 61_204, bytes: 11_411_000, maxBytes: 33_554_432 },
      sent: 840_000,
      dropped: 0,
      lastSuccessUnixMs: NOW - 145_000,
    },
    {
      signal: "traces",
      to: undefined,
      state: "ok",
      problem: undefined,
      queue: undefined,
      sent: 0,
      dropped: 0,
      lastSuccessUnixMs: undefined,
    },
  ],
};

/** The worst that names can be: a hundred of the longest that the API takes, without a place to break. */
export function longNamesPage(
  name = (i: number) => `${"n".repeat(60)}${i}/${"p".repeat(250)}${i}`,
): PageModel {
  const pairs = Array.from({ length: 20 }, (_, i): PairRow => {
    const { recent, total } = PAIRS[i % PAIRS.length]!;
    return { source: name(2 * i), destination: name(2 * i + 1), recent, total };
  });
  const last = lastEvents(30).map((row, i): EventRow => {
    return { ...row, source: name(40 + 2 * i), destination: name(41 + 2 * i) };
  });
  return {
    ...BUSY_PAGE,
    node: name(200).slice(0, 253),
    cluster: name(201),
    parts: BUSY_PAGE.parts.map((part) => ({ ...part, sentence: `${part.sentence} ${name(300)}` })),
    activity: { ...BUSY_PAGE.activity, pairs, last },
  };
}

/** A host without a cluster, on the rung that sees least. */
export const BARE_PAGE: PageModel = {
  ...BUSY_PAGE,
  node: undefined,
  cluster: undefined,
  ready: true,
  capture: {
    rung: "tracepoint",
    blind: [
      "attempts that failed: needs kprobe, or Linux 6.17",
      "segments of each event: one is assumed where the kernel may send ten; needs kprobe or eprobe",
      "network namespace, cgroup",
    ],
  },
  coverage: {
    segments: { seen: 1_204, kernel: 1_388 },
    lossProbes: { seen: 0, kernel: 31 },
    estimate: "this rung cannot tell how many segments an event has",
    lost: [],
  },
  parts: [],
  activity: {
    ...BUSY_PAGE.activity,
    pairs: [
      { ...PAIRS[0]!, source: "10.0.0.17", destination: "10.0.1.4" },
      { ...PAIRS[1]!, source: "fd00:10:244:1::11", destination: "2001:db8:85a3::8a2e:370:7334" },
    ],
    otherPairs: { pairs: 0, segments: 0 },
    last: lastEvents(8).map((row) => ({
      ...row,
      source: undefined,
      destination: undefined,
      segments: undefined,
    })),
  },
  exports: [],
};
