import type { Rung } from "../event/tcp-event.ts";
import { cgroupArgs, commonArgs, skbArgs, socketArgs } from "./fetch-args.ts";
import type { Role } from "./probe-record.ts";
import type { SocketLayout } from "./socket-layout.ts";

/** An event to enable: one of the kernel's own, or one that `definition` makes first. Pure: the same on any machine. */
export interface ProbeDefinition {
  readonly role: Role;
  readonly group: string;
  readonly event: string;
  /** Text for dynamic_events; absent for the kernel's own tracepoints. */
  readonly definition?: string;
  /** The stack is recorded although nobody wants to see it: the cause is in it. */
  readonly stack?: boolean;
  /** Event filter of our instance. */
  readonly filter?: string;
  /** Refused: the rung still stands, with what this probe tells missing. */
  readonly optional?: string;
}

export interface DefinitionOptions {
  /** Makes group and event names unique on this host: kprobe_profile has no group column. */
  readonly id: string;
  /** Whether `tcp:tcp_retransmit_skb` has the field `err` (since 6.17, and where it was backported). */
  readonly tellsError: boolean;
  /** Whether `tcp:tcp_cong_state_set` exists (since 6.1). */
  readonly tellsCongState: boolean;
}

/** The probes of a rung of the ladder; `eprobes` says whether outcomes come from eprobes (since 5.15) or plain tracepoints. */
export function probesOf(
  rung: Rung,
  layout: SocketLayout | undefined,
  options: DefinitionOptions & { readonly eprobes: boolean },
): readonly ProbeDefinition[] {
  if (rung === "tracepoint") {
    const [outcome, synAck] = plainOutcomes();
    return [{ ...outcome, stack: true }, synAck, ...congState(options)];
  }
  if (layout === undefined) throw new TypeError(`Cannot define probes of rung "${rung}": no socket layout`);
  const outcomes = options.eprobes ? eprobeOutcomes(layout, options) : plainOutcomes();
  if (rung === "eprobe") return outcomes;
  const forSynAck = options.eprobes ? [] : [synAckAttempt(layout, options)];
  return [
    ...attempts(layout, options),
    ...outcomes,
    ...forSynAck,
    ...scopes(options),
    ...timers(layout, options),
  ];
}

/** The group of all probes of one running tcpretrans. */
export function probeGroup(id: string): string {
  return `tcpretrans_${id}`;
}

type Naming = Pick<DefinitionOptions, "id">;

function dynamic(role: Role, kind: "p" | "r" | "e", target: string, args: readonly string[], { id }: Naming) {
  const group = probeGroup(id);
  const event = `${role}_${id}`;
  return {
    role,
    group,
    event,
    definition: `${kind}:${group}/${event} ${target} ${args.join(" ")}`.trimEnd(),
  };
}

function attempts(layout: SocketLayout, options: DefinitionOptions): readonly ProbeDefinition[] {
  const socket = socketArgs(layout, "$arg1");
  const skb = skbArgs(layout, "$arg2");
  const ofProbe = layout.tlpHighSeq && [`sk=$arg1:x64`, `tlp=+${layout.tlpHighSeq.offset}($arg1):u32`];
  return [
    dynamic("attempt", "p", "tcp_retransmit_skb", [...socket, ...skb, "segs=$arg3:s32"], options),
    dynamic("loss_probe", "p", "tcp_send_loss_probe", socket, options),
    ...(ofProbe === undefined
      ? []
      : [
          {
            ...dynamic("loss_probe_return", "r", "tcp_send_loss_probe", ofProbe, options),
            optional: "what a loss probe that did not retransmit has sent is unknown",
          },
        ]),
  ];
}

function eprobeOutcomes(layout: SocketLayout, options: DefinitionOptions): readonly ProbeDefinition[] {
  const error = options.tellsError ? ["err=$err:s32"] : [];
  const args = [...socketArgs(layout, "$skaddr"), ...skbArgs(layout, "$skbaddr"), ...error];
  // A request socket begins as every socket does (struct sock_common); its cgroup is the listener's.
  const request = ["req=$req:x64", ...commonArgs(layout, "$req"), ...cgroupArgs(layout, "$skaddr")];
  const retries = layout.reqNumRetrans ? [`rtm=+${layout.reqNumRetrans.offset}($req):u8`] : [];
  return [
    dynamic("outcome", "e", "tcp.tcp_retransmit_skb", args, options),
    dynamic("syn_ack", "e", "tcp.tcp_retransmit_synack", [...request, ...retries], options),
  ];
}

function plainOutcomes(): readonly [outcome: ProbeDefinition, synAck: ProbeDefinition] {
  return [
    { role: "outcome", group: "tcp", event: "tcp_retransmit_skb" },
    { role: "syn_ack", group: "tcp", event: "tcp_retransmit_synack" },
  ];
}

/** tcp_rtx_synack(sk, req): the namespace and cgroup that a plain tracepoint does not tell. */
function synAckAttempt(layout: SocketLayout, options: DefinitionOptions): ProbeDefinition {
  const args = ["req=$arg2:x64", ...commonArgs(layout, "$arg2"), ...cgroupArgs(layout, "$arg1")];
  return {
    ...dynamic("syn_ack_attempt", "p", "tcp_rtx_synack", args, options),
    optional: "the network namespace of a retransmitted SYN-ACK is unknown",
  };
}

function scopes(options: DefinitionOptions): readonly ProbeDefinition[] {
  const pair = (scope: "reordering" | "mtu", symbol: string): readonly ProbeDefinition[] => [
    { ...dynamic(`${scope}_return`, "r", symbol, [], options), optional: `cause ${scope} is not told apart` },
    {
      ...dynamic(`${scope}_enter`, "p", symbol, ["sk=$arg1:x64"], options),
      optional: `cause ${scope} is not told apart`,
    },
  ];
  return [...pair("reordering", "tcp_rack_reo_timeout"), ...pair("mtu", "tcp_simple_retransmit")];
}

function timers(layout: SocketLayout, options: DefinitionOptions): readonly ProbeDefinition[] {
  const args = ["req=$arg1:x64", ...commonArgs(layout, "$arg1")];
  return [
    {
      ...dynamic("syn_ack_timer", "p", "tcp_syn_ack_timeout", args, options),
      optional: "SYN-ACK timers are not told apart in TCPTimeouts",
    },
  ];
}

function congState({ tellsCongState }: DefinitionOptions): readonly ProbeDefinition[] {
  if (!tellsCongState) return [];
  // 3 and 4 are Recovery and Loss (enum tcp_ca_state): the two in which the retransmit queue is sent.
  return [{ role: "ca_state", group: "tcp", event: "tcp_cong_state_set", filter: "cong_state >= 3" }];
}
