import { setTimeout as sleep } from "node:timers/promises";
import type { Cause, Outcome } from "../../src/event/tcp-event.ts";
import { deliveredAll, type Flow, type Pair, until } from "./pair.ts";

/** What a scenario must be seen to make. */
export interface Expectation {
  readonly cause: Cause;
  readonly outcome: Outcome;
  readonly atLeast: number;
  /** No more than `atLeast`. */
  readonly exactly?: true;
}

/** One way to make a kernel retransmit (or to make sure that it does not), in a pair of namespaces of its own. */
export interface Scenario {
  readonly name: string;
  readonly routed?: true;
  /** Runs when all others have ended, because it keeps the processors busy. */
  readonly heavy?: true;
  readonly expect: readonly Expectation[];
  /** Kernel counters that must have risen by so much at least over both ends: the witness that it took place. */
  readonly witness: Readonly<Record<string, number>>;
  /** Kernel counters that must have stayed where they were. */
  readonly untouched?: readonly string[];
  run(pair: Pair): Promise<void>;
}

/** A SYN, and the acknowledgement that ends a handshake. */
const SYN = "tcp flags & (syn | ack) == syn";
const ACK = "tcp flags & (syn | ack) == ack";

/** Every cause, on purpose. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: "timeout",
    expect: [{ cause: "timeout", outcome: "sent", atLeast: 1 }],
    witness: { TCPTimeouts: 1, RetransSegs: 1 },
    run: (pair) => timeouts(pair, 1),
  },
  {
    name: "backoff",
    expect: [{ cause: "timeout", outcome: "sent", atLeast: 3 }],
    witness: { TCPTimeouts: 3, RetransSegs: 3 },
    run: (pair) => timeouts(pair, 3),
  },
  {
    name: "fast",
    expect: [{ cause: "fast", outcome: "sent", atLeast: 1 }],
    witness: { TCPFastRetrans: 1, TCPSackRecovery: 1 },
    async run(pair) {
      const flow = await pair.connect();
      await pair.lose("server", { which: "< 1" });
      flow.burst(8, 2896);
      await flow.delivered();
    },
  },
  {
    name: "slow-start",
    expect: [
      { cause: "timeout", outcome: "sent", atLeast: 1 },
      { cause: "slow_start", outcome: "sent", atLeast: 1 },
    ],
    witness: { TCPTimeouts: 1, TCPSlowStartRetrans: 1 },
    async run(pair) {
      withoutLossProbes(pair);
      const flow = await pair.connect();
      await pair.lose("server");
      flow.burst(8, 2896);
      await pair.counted("client", "RetransSegs", 1);
      await pair.pass("server");
      await flow.delivered();
    },
  },
  {
    name: "loss-probe",
    expect: [{ cause: "tail_loss_probe", outcome: "sent", atLeast: 1 }],
    witness: { TCPLossProbes: 1, RetransSegs: 1 },
    async run(pair) {
      await pair.minimalTimeout(1_000);
      const flow = await pair.connect();
      await pair.lose("server", { which: "1" });
      flow.burst(2, 1000);
      await flow.delivered();
    },
  },
  {
    // Nagle holds back what follows an unacknowledged small packet until the probe sends it. On a busy machine the probe may
    // come between the writes, and send the lost packet instead.
    name: "loss-probe-new-data",
    expect: [{ cause: "tail_loss_probe", outcome: "new_data", atLeast: 1 }],
    witness: { TCPLossProbes: 1 },
    async run(pair) {
      await pair.minimalTimeout(1_000);
      const flow = await pair.connect();
      flow.client.sendAtOnce(false);
      for (let i = 0; i < 3; i++) {
        await pair.lose("server", { which: "< 2" });
        flow.burst(1, pair.family === 4 ? 1448 : 1428);
        flow.burst(2, 200);
        await flow.delivered();
        await pair.pass("server");
      }
    },
  },
  {
    // New data arms another probe while the first is outstanding.
    name: "loss-probe-nothing",
    expect: [
      { cause: "tail_loss_probe", outcome: "sent", atLeast: 1 },
      { cause: "tail_loss_probe", outcome: "nothing", atLeast: 1 },
    ],
    witness: { TCPLossProbes: 1 },
    async run(pair) {
      await pair.minimalTimeout(5_000);
      const flow = await pair.connect();
      await pair.lose("server");
      for (let i = 0; i < 4; i++) {
        flow.burst(2, 1000);
        await sleep(300);
      }
      await pair.pass("server");
      await flow.delivered();
    },
  },
  {
    name: "syn",
    expect: [{ cause: "syn", outcome: "sent", atLeast: 2, exactly: true }],
    witness: { TCPSynRetrans: 2, TCPTimeouts: 2, RetransSegs: 2 },
    async run(pair) {
      await pair.lose("server", { match: SYN, which: "< 2" });
      await pair.connect();
    },
  },
  {
    name: "syn-ack",
    expect: [{ cause: "syn_ack", outcome: "sent", atLeast: 1 }],
    witness: { TCPSynRetrans: 1, TCPTimeouts: 1, RetransSegs: 1 },
    async run(pair) {
      await pair.lose("server", { match: ACK });
      const connected = pair.connect();
      await pair.counted("server", "RetransSegs", 1);
      await pair.pass("server");
      await connected;
    },
  },
  {
    // One packet is lost and one arrives: too few to be sure, so the kernel waits an eighth of the round trip.
    name: "reordering",
    expect: [{ cause: "reordering", outcome: "sent", atLeast: 1 }],
    witness: { TCPFastRetrans: 1 },
    async run(pair) {
      withoutLossProbes(pair);
      await pair.minimalTimeout(2_000);
      for (const end of ["client", "server"] as const) await pair.queue(end, "netem delay 80ms");
      const flow = await pair.connect();
      for (let i = 0; i < 3; i++) {
        await pair.lose("server", { which: "< 1" });
        flow.burst(2, 1000);
        await flow.delivered();
        await pair.pass("server");
      }
    },
  },
  {
    name: "mtu",
    routed: true,
    expect: [{ cause: "mtu", outcome: "sent", atLeast: 1 }],
    witness: { TCPSlowStartRetrans: 1 },
    async run(pair) {
      const flow = await pair.connect();
      await pair.router?.run("ip", "link set dev far mtu 1300");
      flow.burst(4, 2896);
      await flow.delivered();
    },
  },
  {
    name: "zero-window",
    expect: [{ cause: "window_probe", outcome: "sent", atLeast: 2 }],
    witness: { RetransSegs: 2 },
    untouched: ["TCPTimeouts"],
    async run(pair) {
      withoutLossProbes(pair);
      await pair.minimalTimeout(1_000);
      const flow = await pair.connect();
      await pair.lose("server");
      flow.burst(2, 1000);
      flow.client.closePeerWindow();
      await pair.counted("client", "RetransSegs", 2);
      await pair.pass("server");
      await flow.delivered();
    },
  },
  {
    // Nothing is in flight: ordinary zero-window probes are no retransmits.
    name: "persist",
    expect: [],
    witness: { TCPWinProbe: 2 },
    untouched: ["RetransSegs"],
    async run(pair) {
      withoutLossProbes(pair);
      await pair.minimalTimeout(1_000);
      const flow = await pair.connect();
      while (flow.client.send(10_000) > 0) await sleep(20);
      await pair.counted("client", "TCPWinProbe", 2);
      await flow.delivered();
    },
  },
  {
    name: "refused",
    expect: [{ cause: "timeout", outcome: "failed", atLeast: 2 }],
    witness: { TCPRetransFail: 2, TCPTimeouts: 2 },
    async run(pair) {
      withoutLossProbes(pair);
      const flow = await pair.connect();
      await pair.lose("server");
      flow.burst(2, 1000);
      await pair.refuse();
      await pair.counted("client", "TCPRetransFail", 2);
      for (const end of ["client", "server"] as const) await pair.pass(end);
      await flow.delivered();
    },
  },
  {
    name: "queue-drop",
    expect: [{ cause: "timeout", outcome: "failed", atLeast: 2 }],
    witness: { TCPRetransFail: 2, TCPTimeouts: 2 },
    async run(pair) {
      withoutLossProbes(pair);
      const flow = await pair.connect();
      await pair.lose("server");
      flow.burst(2, 1000);
      await pair.queue("client", "pfifo limit 0");
      await pair.counted("client", "TCPRetransFail", 2);
      await pair.unqueue("client");
      await pair.pass("server");
      await flow.delivered();
    },
  },
  {
    // The packet is still in this host's own queue when its timer fires.
    name: "still-queued",
    expect: [{ cause: "timeout", outcome: "failed", atLeast: 2 }],
    witness: { TCPSpuriousRtxHostQueues: 2, TCPTimeouts: 2 },
    untouched: ["TCPRetransFail"],
    async run(pair) {
      withoutLossProbes(pair);
      const flow = await pair.connect();
      await pair.queue("client", "netem delay 3000ms");
      flow.burst(2, 1000);
      await flow.delivered();
    },
  },
  {
    name: "expiry",
    expect: [{ cause: "timeout", outcome: "sent", atLeast: 2 }],
    witness: { TCPAbortOnTimeout: 1, TCPTimeouts: 3 },
    async run(pair) {
      withoutLossProbes(pair);
      pair.client.set("ipv4/tcp_retries2", 2);
      const flow = await pair.connect();
      await pair.lose("server");
      flow.burst(1, 1000);
      await pair.counted("client", "TCPAbortOnTimeout", 1);
    },
  },
  {
    name: "twenty-three",
    expect: [{ cause: "timeout", outcome: "sent", atLeast: 23, exactly: true }],
    witness: { RetransSegs: 23, TCPTimeouts: 23 },
    async run(pair) {
      withoutLossProbes(pair);
      await pair.minimalTimeout(1_500);
      const flows = await pair.connectMany(23);
      await pair.lose("server", { which: "< 23" });
      for (const flow of flows) flow.burst(1, 1000);
      await deliveredAll(flows);
    },
  },
  {
    name: "load",
    heavy: true,
    expect: [
      { cause: "fast", outcome: "sent", atLeast: 10 },
      { cause: "tail_loss_probe", outcome: "sent", atLeast: 1 },
    ],
    witness: { RetransSegs: 50, TCPFastRetrans: 10, TCPLossProbes: 1 },
    async run(pair) {
      const flows = await pair.connectMany(6);
      await pair.queue("client", "netem delay 4ms 1ms loss 3% limit 10000");
      await pair.queue("server", "netem delay 4ms loss 1% limit 10000");
      const deadline = performance.now() + LOAD_MS;
      await until("end of the load", () => pump(flows, deadline), 4);
      await deliveredAll(flows);
    },
  },
];

const LOAD_MS = 8_000;

/** Loses all data until so many timers have fired and retransmitted. */
async function timeouts(pair: Pair, count: number): Promise<void> {
  withoutLossProbes(pair);
  const flow = await pair.connect();
  await pair.lose("server");
  flow.burst(2, 1000);
  await pair.counted("client", "RetransSegs", count);
  await pair.pass("server");
  await flow.delivered();
}

function withoutLossProbes(pair: Pair): void {
  pair.client.set("ipv4/tcp_early_retrans", 0);
}

/** Moves bytes over all flows, in short messages with pauses between them so that their tails are lost too. */
function pump(flows: readonly Flow[], deadline: number): boolean {
  const now = performance.now();
  for (const [i, flow] of flows.entries()) {
    const pausing = Math.floor(now / 150 + i) % 3 === 0;
    if (!pausing) flow.client.send(30_000);
    for (const server of flow.servers) server.drain();
  }
  return now > deadline;
}
