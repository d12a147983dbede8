import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseBtf } from "../../src/btf/parse-btf.ts";
import type { Rung } from "../../src/event/tcp-event.ts";
import { type ProbeDefinition, probesOf } from "../../src/probe/definitions.ts";
import { type SocketLayout, socketLayout } from "../../src/probe/socket-layout.ts";
import { parseEventFormat } from "../../src/tracefs/event-format.ts";
import { KPROBE_KERNELS, kernelLayout, recordingHeader } from "../support/kernels.ts";

const BTF = new URL("../fixtures/btf/linux-6.18.44-x86_64.btf", import.meta.url);
/** The fixture has no struct request_sock. */
const LAYOUT_6_18: SocketLayout = {
  ...socketLayout(parseBtf(readFileSync(BTF)))!,
  reqNumRetrans: { offset: 146, size: 1 },
};
const TELLS = { id: "t", tellsError: true, tellsCongState: true };

const linesOf = (rung: Rung, options: Partial<Parameters<typeof probesOf>[2]> = {}, layout = LAYOUT_6_18) =>
  probesOf(rung, layout, { ...TELLS, eprobes: true, ...options });

const roles = (probes: readonly ProbeDefinition[]) =>
  probes.map(({ role, definition }) => `${role} ${definition?.slice(0, 1) ?? "tracepoint"}`);

test("probesOf() gives the rung kprobe with eprobes", () => {
  assert.deepEqual(roles(linesOf("kprobe")), [
    "attempt p",
    "loss_probe p",
    "loss_probe_return r",
    "outcome e",
    "syn_ack e",
    "reordering_return r",
    "reordering_enter p",
    "mtu_return r",
    "mtu_enter p",
    "syn_ack_timer p",
  ]);
});

test("probesOf() gives the rung kprobe without eprobes (before 5.15)", () => {
  assert.deepEqual(roles(linesOf("kprobe", { eprobes: false })), [
    "attempt p",
    "loss_probe p",
    "loss_probe_return r",
    "outcome tracepoint",
    "syn_ack tracepoint",
    "syn_ack_attempt p",
    "reordering_return r",
    "reordering_enter p",
    "mtu_return r",
    "mtu_enter p",
    "syn_ack_timer p",
  ]);
});

test("probesOf() gives the rungs eprobe and tracepoint", () => {
  assert.deepEqual(roles(linesOf("eprobe")), ["outcome e", "syn_ack e"]);
  const plain = ["outcome tracepoint", "syn_ack tracepoint"];
  assert.deepEqual(roles(linesOf("tracepoint", { tellsCongState: false })), plain);
  assert.deepEqual(roles(linesOf("tracepoint")), [...plain, "ca_state tracepoint"]);
  assert.deepEqual(probesOf("tracepoint", undefined, { ...TELLS, eprobes: false }), linesOf("tracepoint"));
});

test("probesOf() filters congestion states down to Recovery and Loss", () => {
  const [caState] = linesOf("tracepoint").filter(({ role }) => role === "ca_state");
  assert.deepEqual(caState, {
    role: "ca_state",
    group: "tcp",
    event: "tcp_cong_state_set",
    filter: "cong_state >= 3",
  });
});

test("probesOf() throws TypeError without a socket layout where it needs one", () => {
  for (const rung of ["kprobe", "eprobe"] as const) {
    assert.throws(() => probesOf(rung, undefined, { ...TELLS, eprobes: true }), {
      name: "TypeError",
      message: `Cannot define probes of rung "${rung}": no socket layout`,
    });
  }
});

/** The offsets of kernel.md §3.5 (6.18.44, x86-64). */
const SOCKET_ARGS =
  "fam=+16(B):u16 st=+18(B):u8 lp=+14(B):u16 dp=+12(B):x16 s4=+4(B):x32 d4=+0(B):x32 s6=+72(B):x64[2] d6=+56(B):x64[2] net=+48(B):x64 ns=+176(+48(B)):u32";
const CGROUP_ARGS = (sk: string) => `cgp=+672(${sk}):x64 cg=+96(+256(+672(${sk}))):u64`;
const TCP_ARGS =
  "fl=+96(B):u64 ca=+1248(B):u8 rtm=+1249(B):u8 pnd=+1250(B):u8 bko=+1251(B):u8 rto=+1184(B):u32 srtt=+1680(B):u32 cwnd=+1444(B):u32 wnd=+1436(B):u32 mss=+1440(B):u32 pout=+1684(B):u32 rout=+1480(B):u32 lout=+1452(B):u32 tot=+2200(B):u32 byt=+2192(B):u64 tlp=+1472(B):u32 ack=+1724(B):u32 jif=@jiffies_64:u32";
const SKB_ARGS = (skb: string) =>
  `seq=+40(${skb}):u32 end=+44(${skb}):u32 tfl=+52(${skb}):u16 gso=+48(${skb}):u16 len=+112(${skb}):u32`;
const at = (args: string, base: string) => args.replaceAll("(B)", `(${base})`);
const full = (base: string) =>
  `sk=${base}:x64 ${at(SOCKET_ARGS, base)} ${CGROUP_ARGS(base)} ${at(TCP_ARGS, base)}`;

const LINES = [
  `p:tcpretrans_t/attempt_t tcp_retransmit_skb ${full("$arg1")} ${SKB_ARGS("$arg2")} segs=$arg3:s32`,
  `p:tcpretrans_t/loss_probe_t tcp_send_loss_probe ${full("$arg1")}`,
  "r:tcpretrans_t/loss_probe_return_t tcp_send_loss_probe sk=$arg1:x64 tlp=+1472($arg1):u32",
  `e:tcpretrans_t/outcome_t tcp.tcp_retransmit_skb ${full("$skaddr")} ${SKB_ARGS("$skbaddr")} err=$err:s32`,
  `e:tcpretrans_t/syn_ack_t tcp.tcp_retransmit_synack req=$req:x64 ${at(SOCKET_ARGS, "$req")} ${CGROUP_ARGS("$skaddr")} rtm=+146($req):u8`,
  "r:tcpretrans_t/reordering_return_t tcp_rack_reo_timeout",
  "p:tcpretrans_t/reordering_enter_t tcp_rack_reo_timeout sk=$arg1:x64",
  "r:tcpretrans_t/mtu_return_t tcp_simple_retransmit",
  "p:tcpretrans_t/mtu_enter_t tcp_simple_retransmit sk=$arg1:x64",
  `p:tcpretrans_t/syn_ack_timer_t tcp_syn_ack_timeout req=$arg1:x64 ${at(SOCKET_ARGS, "$arg1")}`,
];

for (const [i, line] of LINES.entries()) {
  const head = line.split(" ", 2).join(" ");
  test(`probesOf() defines "${head}" with the offsets of 6.18`, () => {
    assert.equal(linesOf("kprobe")[i]?.definition, line);
  });
}

test("probesOf() defines the SYN-ACK's kprobe with the offsets of 6.18", () => {
  const found = linesOf("kprobe", { eprobes: false }).find(({ role }) => role === "syn_ack_attempt");
  const args = `req=$arg2:x64 ${at(SOCKET_ARGS, "$arg2")} ${CGROUP_ARGS("$arg1")}`;
  assert.equal(found?.definition, `p:tcpretrans_t/syn_ack_attempt_t tcp_rtx_synack ${args}`);
});

test("probesOf() leaves out the error where the tracepoint has none (before 6.17)", () => {
  const [outcome] = linesOf("eprobe", { tellsError: false });
  assert.doesNotMatch(outcome!.definition!, /err/);
});

test("probesOf() leaves out members that the kernel lacks", () => {
  const {
    localV6: _,
    tlpHighSeq: __,
    skbCb: ___,
    netInum: ____,
    reqNumRetrans: _____,
    ...layout
  } = LAYOUT_6_18;
  const probes = linesOf("kprobe", {}, layout as SocketLayout);
  assert.ok(!roles(probes).includes("loss_probe_return r"));
  for (const { definition } of probes)
    assert.doesNotMatch(definition ?? "", / (s6|tlp|seq|len|net|ns)=|rtm=\+146/);
});

test("probesOf() marks what may be refused, and never an attempt or an outcome", () => {
  const optional = linesOf("kprobe", { eprobes: false }).filter((probe) => probe.optional !== undefined);
  assert.deepEqual(
    optional.map(({ role }) => role),
    [
      "loss_probe_return",
      "syn_ack_attempt",
      "reordering_return",
      "reordering_enter",
      "mtu_return",
      "mtu_enter",
      "syn_ack_timer",
    ],
  );
});

/** kernel/trace/trace_probe.h and trace.c: MAX_ARGSTR_LEN 63, WRITE_BUFSIZE 4096, MAX_ARG_NAME_LEN 32, MAX_TRACE_ARGS 128. */
for (const kernel of [...KPROBE_KERNELS, "6.18"] as const) {
  test(`probesOf() stays within the kernel's limits on ${kernel}`, () => {
    const layout = kernel === "6.18" ? LAYOUT_6_18 : kernelLayout(kernel);
    const options = { ...TELLS, id: "0123456789abcdef" };
    const all = [true, false].flatMap((eprobes) => probesOf("kprobe", layout, { ...options, eprobes }));
    for (const { definition = "", event, group } of all) {
      assert.ok(definition.length < 4094, event);
      assert.ok(event.length < 64 && group.length < 64);
      const args = definition.split(" ").slice(2);
      assert.ok(args.length <= 128);
      assert.equal(new Set(args.map((arg) => arg.split("=")[0])).size, args.length, "names differ");
      for (const arg of args) {
        const [name = "", fetch = ""] = arg.split("=");
        assert.ok(name.length < 32 && fetch.length <= 63, arg);
      }
    }
  });
}

for (const kernel of KPROBE_KERNELS) {
  test(`probesOf() defines on ${kernel} what that kernel made formats of`, () => {
    const header = recordingHeader(kernel);
    const eprobes = kernel !== "5.10";
    const options = { id: "t", tellsError: kernel === "7.2", tellsCongState: true, eprobes };
    for (const { role, definition } of probesOf("kprobe", kernelLayout(kernel), options)) {
      const recorded = header.events.find((event) => event.role === role);
      if (definition === undefined || recorded === undefined) continue;
      const names = definition
        .split(" ")
        .slice(2)
        .map((arg) => arg.split("=")[0]);
      const fields = parseEventFormat(recorded.format).fields.map(({ name }) => name);
      const ours = fields.filter((name) => !name.startsWith("common_") && !name.startsWith("__probe_"));
      assert.deepEqual(names, ours, role);
    }
  });
}
