import assert from "node:assert/strict";
import type { EndName } from "../../src/event/end-name.ts";
import { TCP_NEW_SYN_RECV, TCP_SYN_SENT } from "../../src/event/kernel-tcp.ts";
import { isGoneBy, type Life } from "../kube/address-world.ts";
import { isTranslated } from "./conntrack-world.ts";
import { wasSeen } from "./host-world.ts";
import { isSeenLate, outagesOf, type Shown } from "./name-world.ts";
import { isSamePair, NODES } from "./named-sockets.ts";

/** A pod may have begun so long before its start: clocks differ by a second, are allowed another, and the API cuts one off. */
const START_MS = 3000;
/** What a kubelet may be late by to tell of an address. */
const TELL_MS = 1800;
/** How long the memory of connections lasts, and that of connection tracking's answers with a wait for names. */
const FORGET_MS = 300_000;
const ANSWER_MS = 12_500;

/**
 * Right, a less telling name that is true (`service`, `node`), `unknown`, or the exception that excuses a wrong one,
 * which docs/identity.md lists under "What can go wrong". Throws where none does.
 */
export function judgeLocal(shown: Shown): string {
  const { socket, ends } = shown;
  return judge(shown, { end: ends.local, truth: socket.local, isLocal: true });
}

export function judgePeer(shown: Shown): string {
  const { plan, fields } = shown.socket;
  const { peer } = shown.ends;
  if (peer.kind === "service" && plan.side === "client" && plan.path === "service") return "service";
  const isNode = fields.peerAddress === NODES.a || fields.peerAddress === NODES.b;
  if (peer.kind === "node" && isNode) return "node";
  return judge(shown, { end: peer, truth: shown.resend.peer, isLocal: false });
}

interface Verdict {
  readonly end: EndName;
  readonly truth: Life | undefined;
  readonly isLocal: boolean;
}

function judge(shown: Shown, verdict: Verdict): string {
  const { end, truth } = verdict;
  if (end.kind === "unknown") return "unknown";
  if (end.kind === "pod" && end.pod?.name === truth?.name) return "right";
  const named = shown.lives.find(({ name }) => name === end.pod?.name);
  const found = named && EXCEPTIONS.find(({ excuses }) => excuses(shown, { ...verdict, named }));
  assert.ok(found !== undefined, `${end.name} (${end.method}), not ${truth?.name}: ${where(shown)}`);
  return found.name;
}

function where({ course, socket, resend, seenMs, shownMs }: Shown): string {
  const { key, localAddress, localPort, peerAddress, peerPort } = socket.fields;
  const ends = `${localAddress}:${localPort} to ${peerAddress}:${peerPort}`;
  const times = `at ${resend.atMs}, seen ${seenMs}, heard ${resend.ackMs}, shown ${shownMs}`;
  return `socket ${key} ${ends}, state ${resend.state}, ${times}, by ${course.sees}`;
}

interface Wrong extends Verdict {
  readonly named: Life;
}

interface Exception {
  readonly name: string;
  readonly excuses: (shown: Shown, wrong: Wrong) => boolean;
}

const EXCEPTIONS: readonly Exception[] = [
  {
    // Nobody has had the address yet: it goes to the one that will, from its start on.
    name: "begins",
    excuses: ({ resend }, { truth, named }) =>
      truth === undefined && named.startedMs - START_MS <= resend.atMs,
  },
  {
    name: "began before the agent",
    excuses: ({ course, socket, resend }, { isLocal }) => {
      if (!isSeenLate(socket, course)) return false;
      return isLocal ? !isKprobe(course) : resend.state === TCP_NEW_SYN_RECV;
    },
  },
  {
    // The tracepoint rung does not tell when the peer answered.
    name: "outlives its peer",
    excuses: ({ course, resend, seenMs, shownMs }, { truth, named, isLocal }) => {
      if (isKprobe(course) || resend.state === TCP_SYN_SENT || truth === undefined) return false;
      const isForgotten = isGoneBy(truth, shownMs - course.keepMs);
      const isUntold = knownMs(course, truth) > shownMs;
      if (isLocal && !isForgotten && !isUntold) return false;
      const fromMs = isForgotten ? named.startedMs - START_MS : named.gainedMs;
      return truth.releasedMs <= seenMs && fromMs <= seenMs;
    },
  },
  {
    name: "gone before it was listed",
    excuses: ({ course, resend, seenMs }, { truth, named }) => {
      const askedMs = Math.max(seenMs, resend.ackMs ?? 0);
      if (truth === undefined || named.startedMs - START_MS > askedMs) return false;
      return outagesOf(course).some(
        ({ fromMs, untilMs }) => truth.toldMs > fromMs && isGoneBy(truth, untilMs),
      );
    },
  },
  {
    name: "the API server is away",
    excuses: ({ course, resend, shownMs }, { named }) =>
      outagesOf(course).some(({ fromMs, untilMs }) => {
        // A pod is told of as there while it is, and for as long as its end may be told late.
        const wasThere = named.toldMs <= fromMs && named.releasedMs > fromMs - 3000;
        return wasThere && resend.atMs > fromMs - TELL_MS && shownMs <= untilMs + course.delayMs + 100;
      }),
  },
  {
    name: "its namespace was never seen",
    excuses: ({ course, socket }, { isLocal }) => {
      const isOwn = isLocal || socket.fields.localAddress === socket.fields.peerAddress;
      return isOwn && course.sees === "address" && !wasSeen(socket.local);
    },
  },
  {
    name: "addresses and ports used again",
    excuses: ({ sockets, socket, shownMs }) =>
      sockets.some((other) => {
        if (other === socket || !isSamePair(other.fields, socket.fields)) return false;
        const isSameSocket = other.fields.key === socket.fields.key && other.beganMs <= socket.beganMs;
        if (isSameSocket && socket.beganMs - other.endedMs < FORGET_MS) return true;
        const isThen = ({ fromMs, untilMs }: { fromMs: number; untilMs: number }) =>
          fromMs <= shownMs && untilMs > socket.beganMs - ANSWER_MS;
        return isTranslated(socket.plan) && other.entries.some(isThen);
      }),
  },
];

/** When the agent was told of a pod's address. */
function knownMs(course: Shown["course"], { toldMs }: Life): number {
  const outage = outagesOf(course).find(({ fromMs, untilMs }) => fromMs < toldMs && toldMs <= untilMs);
  return (outage?.untilMs ?? toldMs) + course.delayMs;
}

function isKprobe({ sees }: Shown["course"]): boolean {
  return sees === "cgroup" || sees === "namespace";
}
