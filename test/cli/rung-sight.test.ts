import assert from "node:assert/strict";
import { test } from "node:test";
import { type RungSight, rungSight } from "../../src/cli/rung-sight.ts";
import type { Rung } from "../../src/event/tcp-event.ts";
import type { Role } from "../../src/probe/probe-record.ts";
import { probeFormat } from "../support/event-record.ts";

const SOCKET = ["sk", "ns:4", "cg", "ca:1", "pnd:1", "wnd:4", "rto:4", "srtt:4", "cwnd:4", "gso:2"];
/** Of the kernel's own tracepoint, as this reads it. */
const PLAIN = ["skaddr", "sport:2", "dport:2"];
const KNOWN = { hz: 250, kallsyms: true };

function sight(
  rung: Rung,
  probes: Partial<Record<Role, readonly string[]>>,
  known: { hz: number | undefined; kallsyms: boolean } = KNOWN,
): RungSight {
  const installed = Object.entries(probes).map(([role, fields], index) => {
    const format = probeFormat(role, index + 1, fields);
    return { role: role as Role, group: "tcp", event: role, dynamic: true, stack: false, format };
  });
  return rungSight(
    { rung, probes: installed, eprobes: rung !== "tracepoint" && probes.outcome !== PLAIN },
    known,
  );
}

const SCOPES = { reordering_enter: ["sk"], reordering_return: [], mtu_enter: ["sk"], mtu_return: [] };
const KPROBE = {
  attempt: SOCKET,
  loss_probe: SOCKET,
  loss_probe_return: ["sk"],
  syn_ack: ["req"],
  ...SCOPES,
};

test("rungSight() sees all on the kprobe rung with eprobes on a kernel that tells errors", () => {
  assert.deepEqual(sight("kprobe", { ...KPROBE, outcome: [...SOCKET, "err:4s"] }), {
    failures: "errno",
    segments: "kernel",
    networkNamespace: true,
    cgroup: true,
    socket: true,
    rto: true,
    synAcks: true,
    lossProbes: "all",
    newData: true,
    causes: [
      ...["timeout", "fast", "slow_start", "tail_loss_probe", "syn", "syn_ack"],
      ...["reordering", "mtu", "window_probe"],
    ],
    merged: {},
  });
});

test("rungSight() on the kprobe rung loses with each refused probe what that probe tells", () => {
  const { loss_probe_return, mtu_return, reordering_enter, ...less } = KPROBE;
  const seen = sight("kprobe", { ...less, outcome: PLAIN });
  assert.equal(seen.failures, "failed");
  assert.equal(seen.segments, "computed");
  assert.equal(seen.newData, false);
  assert.deepEqual(seen.merged, { reordering: "fast", mtu: "slow_start" });
  assert.equal(seen.networkNamespace, true, "which the attempt tells");
});

test("rungSight() on the eprobe rung sees no attempts, and only loss probes that retransmit", () => {
  const seen = sight("eprobe", { outcome: SOCKET, syn_ack: ["req"] });
  assert.deepEqual([seen.failures, seen.segments, seen.lossProbes], ["none", "kernel", "retransmitting"]);
  assert.deepEqual(seen.merged, { reordering: "fast", mtu: "slow_start" });
});

test("rungSight() names no cause from fields that BTF does not place", () => {
  const without = (field: string) => SOCKET.filter((each) => !each.startsWith(field));
  assert.deepEqual(sight("eprobe", { outcome: without("ca") }).causes, ["syn", "syn_ack"]);
  assert.deepEqual(sight("eprobe", { outcome: without("pnd") }).causes, ["syn", "syn_ack"]);
  assert.equal(sight("eprobe", { outcome: without("wnd") }).merged.window_probe, "timeout");
});

test("rungSight() tells the RTO only where HZ is known", () => {
  assert.equal(sight("eprobe", { outcome: SOCKET }, { ...KNOWN, hz: undefined }).rto, false);
});

test("rungSight() on the tracepoint rung takes causes from the stack", () => {
  const probes = { outcome: PLAIN, syn_ack: PLAIN, ca_state: ["skaddr"] };
  const seen = sight("tracepoint", probes);
  assert.deepEqual(seen.merged, { mtu: "slow_start", window_probe: "timeout" });
  const { segments, networkNamespace, cgroup, socket, rto } = seen;
  assert.deepEqual(
    [segments, networkNamespace, cgroup, socket, rto],
    ["assumed", false, false, false, false],
  );
  const older = sight("tracepoint", { outcome: PLAIN, syn_ack: PLAIN });
  assert.deepEqual(older.causes, ["timeout", "tail_loss_probe", "syn", "syn_ack"]);
  assert.deepEqual(sight("tracepoint", probes, { ...KNOWN, kallsyms: false }).causes, ["syn", "syn_ack"]);
});
