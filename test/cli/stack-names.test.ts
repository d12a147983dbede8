import assert from "node:assert/strict";
import { test } from "node:test";
import { stackNames } from "../../src/cli/stack-names.ts";

const MACHINERY = [
  "eprobe_trigger_func",
  "event_triggers_call",
  "trace_event_buffer_commit",
  "__traceiter_tcp",
];
const TIMER = ["tcp_retransmit_skb", "tcp_rack_reo_timeout", "tcp_write_timer", "handle_softirqs"];
const TASK = ["__tcp_retransmit_skb", "tcp_xmit_retransmit_queue", "tcp_ack", "release_sock", "tcp_sendmsg"];

function namesOf(functions: readonly (string | undefined)[]): readonly string[] {
  return stackNames((address) => functions[Number(address)])(functions.map((_, i) => BigInt(i)));
}

test("stackNames() leaves out the tracing machinery inside the traced function", () => {
  assert.deepEqual(namesOf([...MACHINERY, ...TASK]), TASK);
  assert.deepEqual(namesOf(TASK), TASK);
});

test("stackNames() keeps a softirq's frames when it has interrupted a task in the tracing machinery", () => {
  const outer = ["asm_sysvec_apic_timer_interrupt", ...MACHINERY, ...TASK];
  assert.deepEqual(namesOf([...MACHINERY, ...TIMER, ...outer]), [...TIMER, ...outer]);
});

test("stackNames() shows a frame without a symbol, never its address", () => {
  assert.deepEqual(namesOf(["tcp_retransmit_skb", undefined]), ["tcp_retransmit_skb", "[unknown]"]);
  assert.deepEqual(namesOf([undefined, "__traceiter_tcp"]), ["[unknown]", "__traceiter_tcp"]);
});
