import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cause } from "../../src/event/tcp-event.ts";
import { CAUSE_FUNCTIONS, causeOfStack, scopeOfStack, tellingOfStack } from "../../src/probe/stack-cause.ts";

const [ESTABLISHED, SYN_SENT] = [1, 2];
const [RECOVERY, LOSS] = [3, 4];
/** Innermost first, as net/ipv4/tcp_output.c and tcp_timer.c of 6.18 nest them. */
const TIMER = ["tcp_retransmit_skb", "tcp_retransmit_timer", "tcp_write_timer_handler", "call_timer_fn"];
const PROBE = ["__tcp_retransmit_skb", "tcp_send_loss_probe", "tcp_write_timer_handler", "call_timer_fn"];
const QUEUE = ["tcp_retransmit_skb", "tcp_xmit_retransmit_queue"];
const ACK = [...QUEUE, "tcp_xmit_recovery", "tcp_ack", "tcp_rcv_established"];
const REO = [...QUEUE, "tcp_rack_reo_timeout", "tcp_write_timer_handler"];
const MTU = [...QUEUE, "tcp_simple_retransmit", "tcp_v4_mtu_reduced", "tcp_release_cb"];
/** A packet that this very call has sent is answered at once, on the way out of its queue. */
const NESTED = ["handle_softirqs", "do_softirq", "__local_bh_enable_ip", "ip_queue_xmit"];
const MTU_INNER = [...QUEUE, "tcp_non_congestion_loss_retransmit", "tcp_v4_err"];

interface Row {
  readonly name: string;
  readonly stack: readonly string[];
  readonly state?: number;
  readonly congState?: number;
  readonly cause: Cause;
}

const ROWS: readonly Row[] = [
  { name: "the timer in SYN_SENT", stack: TIMER, state: SYN_SENT, cause: "syn" },
  { name: "a loss probe", stack: PROBE, cause: "tail_loss_probe" },
  {
    name: "a loss probe of a socket whose last state was Loss",
    stack: PROBE,
    congState: LOSS,
    cause: "tail_loss_probe",
  },
  { name: "the timer", stack: TIMER, cause: "timeout" },
  { name: "the timer of a socket that was in Recovery", stack: TIMER, congState: RECOVERY, cause: "timeout" },
  { name: "tcp_simple_retransmit", stack: MTU, congState: LOSS, cause: "mtu" },
  { name: "tcp_non_congestion_loss_retransmit", stack: MTU_INNER, cause: "mtu" },
  { name: "an ACK in Loss", stack: ACK, congState: LOSS, cause: "slow_start" },
  { name: "an ACK in Recovery", stack: ACK, congState: RECOVERY, cause: "fast" },
  { name: "the reordering timer in Recovery", stack: REO, congState: RECOVERY, cause: "reordering" },
  { name: "the reordering timer in Loss", stack: REO, congState: LOSS, cause: "slow_start" },
  { name: "the reordering timer in a state that is not known", stack: REO, cause: "other" },
  { name: "an ACK in a state that is not known", stack: ACK, cause: "other" },
  { name: "no stack at all", stack: [], cause: "other" },
  {
    name: "the stack of another record",
    stack: ["tcp_set_ca_state", "tcp_enter_loss"],
    congState: LOSS,
    cause: "other",
  },
  {
    name: "an ACK that comes in while a loss probe goes out",
    stack: [...ACK, ...NESTED, ...PROBE],
    congState: RECOVERY,
    cause: "fast",
  },
  {
    name: "an ACK that comes in while the timer retransmits, before 6.9",
    stack: [...ACK, "__do_softirq", ...TIMER],
    congState: LOSS,
    cause: "slow_start",
  },
  {
    name: "the reordering timer that interrupts an ACK in a task",
    stack: [...REO, "handle_softirqs", "trace_event_raw_event_tcp_event_sk_skb", ...ACK, "release_sock"],
    congState: RECOVERY,
    cause: "reordering",
  },
  {
    name: "the small queue's tasklet that interrupts a task in the reordering timer",
    stack: [...QUEUE, "tcp_tsq_write", "handle_softirqs", ...REO, "tcp_release_cb", "release_sock"],
    congState: RECOVERY,
    cause: "fast",
  },
  {
    name: "the stack of another record that interrupts a retransmit",
    stack: ["tcp_set_ca_state", "tcp_enter_loss", "handle_softirqs", ...TIMER],
    congState: LOSS,
    cause: "other",
  },
  { name: "no stack in SYN_SENT", stack: [], state: SYN_SENT, cause: "syn" },
];

for (const { name, stack, state = ESTABLISHED, congState, cause } of ROWS) {
  test(`causeOfStack() names ${name} "${cause}"`, () => {
    assert.equal(causeOfStack(tellingOfStack(stack), { state, congState }), cause);
  });

  test(`CAUSE_FUNCTIONS holds all that names ${name} "${cause}"`, () => {
    const known = stack.filter((name) => CAUSE_FUNCTIONS.some((of) => of === name));
    assert.equal(causeOfStack(tellingOfStack(known), { state, congState }), cause);
  });
}

test("scopeOfStack() finds the two functions that fields cannot tell, and nothing else", () => {
  assert.equal(scopeOfStack(REO), "reordering");
  assert.equal(scopeOfStack(MTU), "mtu");
  assert.equal(scopeOfStack(MTU_INNER), "mtu");
  assert.equal(scopeOfStack(ACK), undefined);
  assert.equal(scopeOfStack([]), undefined);
});
