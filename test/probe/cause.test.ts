import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cause, SocketFields } from "../../src/event/tcp-event.ts";
import { causeOf, type Scope } from "../../src/probe/cause.ts";
import { probeRecord } from "../support/probe-records.ts";

const [ESTABLISHED, SYN_SENT, SYN_RECV, NEW_SYN_RECV] = [1, 2, 3, 12];
const [OPEN, DISORDER, CWR, RECOVERY, LOSS] = [0, 1, 2, 3, 4];
const [NONE, RETRANS, PROBE0, LOSS_PROBE, REO_TIMEOUT] = [0, 1, 3, 5, 6];
const [SYN, ACK] = [0x02, 0x10];

interface Row {
  readonly name: string;
  readonly socket: Partial<SocketFields>;
  readonly scope?: Scope;
  readonly sndWnd?: number;
  readonly dead?: boolean;
  readonly cause: Cause;
}

const ROWS: readonly Row[] = [
  { name: "SYN_SENT", socket: { state: SYN_SENT, caState: LOSS, pending: NONE }, cause: "syn" },
  { name: "a request socket", socket: { state: NEW_SYN_RECV }, cause: "syn_ack" },
  {
    name: "SYN_RECV whose skb has SYN (Fast Open, simultaneous open)",
    socket: { state: SYN_RECV, tcpFlags: SYN | ACK, caState: LOSS, pending: NONE },
    cause: "syn_ack",
  },
  {
    name: "SYN_RECV whose skb is data",
    socket: { state: SYN_RECV, tcpFlags: ACK, caState: LOSS, pending: NONE },
    cause: "timeout",
  },
  {
    name: "SYN_RECV whose window is closed: it never was open",
    socket: { state: SYN_RECV, tcpFlags: ACK, caState: LOSS, pending: NONE },
    sndWnd: 0,
    cause: "timeout",
  },
  {
    name: "the loss probe's timer in Open",
    socket: { caState: OPEN, pending: LOSS_PROBE },
    cause: "tail_loss_probe",
  },
  {
    name: "the loss probe's timer in Disorder",
    socket: { caState: DISORDER, pending: LOSS_PROBE },
    cause: "tail_loss_probe",
  },
  {
    name: "the loss probe's timer in CWR",
    socket: { caState: CWR, pending: LOSS_PROBE },
    cause: "tail_loss_probe",
  },
  {
    name: "Recovery while the loss probe's timer is still armed",
    socket: { caState: RECOVERY, pending: LOSS_PROBE },
    cause: "fast",
  },
  { name: "Loss without a timer", socket: { caState: LOSS, pending: NONE }, cause: "timeout" },
  {
    name: "Loss without a timer, window closed",
    socket: { caState: LOSS, pending: NONE },
    sndWnd: 0,
    cause: "window_probe",
  },
  {
    name: "Loss without a timer, window closed, no process left",
    socket: { caState: LOSS, pending: NONE },
    sndWnd: 0,
    dead: true,
    cause: "timeout",
  },
  { name: "Loss with a timer", socket: { caState: LOSS, pending: RETRANS }, cause: "slow_start" },
  { name: "Loss with the window timer", socket: { caState: LOSS, pending: PROBE0 }, cause: "slow_start" },
  {
    name: "Loss with a timer inside tcp_simple_retransmit",
    socket: { caState: LOSS, pending: RETRANS },
    scope: "mtu",
    cause: "mtu",
  },
  {
    name: "Loss with a timer inside tcp_rack_reo_timeout",
    socket: { caState: LOSS, pending: REO_TIMEOUT },
    scope: "reordering",
    cause: "slow_start",
  },
  {
    name: "Loss without a timer inside tcp_simple_retransmit",
    socket: { caState: LOSS, pending: NONE },
    scope: "mtu",
    cause: "timeout",
  },
  { name: "Recovery", socket: { caState: RECOVERY, pending: RETRANS }, cause: "fast" },
  {
    name: "Recovery while the reordering timer is armed",
    socket: { caState: RECOVERY, pending: REO_TIMEOUT },
    cause: "fast",
  },
  {
    name: "Recovery inside tcp_rack_reo_timeout",
    socket: { caState: RECOVERY, pending: REO_TIMEOUT },
    scope: "reordering",
    cause: "reordering",
  },
  {
    name: "Recovery inside tcp_rack_reo_timeout, but with another timer",
    socket: { caState: RECOVERY, pending: RETRANS },
    scope: "reordering",
    cause: "fast",
  },
  {
    name: "Recovery inside tcp_simple_retransmit",
    socket: { caState: RECOVERY, pending: RETRANS },
    scope: "mtu",
    cause: "fast",
  },
  { name: "Open with the retransmission timer", socket: { caState: OPEN, pending: RETRANS }, cause: "other" },
  { name: "a format without the congestion state", socket: { caState: undefined }, cause: "other" },
  { name: "a format without the timer", socket: { pending: undefined }, cause: "other" },
];

for (const { name, socket, scope, cause, ...rest } of ROWS) {
  test(`causeOf() names ${name} "${cause}"`, () => {
    const record = probeRecord("outcome", { socket: { state: ESTABLISHED, ...socket }, ...rest });
    assert.equal(causeOf(record, scope), cause);
  });
}

test("causeOf() names a record without a socket other", () => {
  assert.equal(causeOf(probeRecord("attempt", { socket: null }), undefined), "other");
});
