import type { SocketKey, TcpEvent } from "../../src/event/tcp-event.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { anEvent } from "./an-event.ts";

/** What the model does next; each is left out where the kernel could not do it. */
export const STEPS = ["send", "deliver", "lose_again", "detect", "retransmit", "timeout", "probe"] as const;
export type Step = (typeof STEPS)[number];

/** An event, and what was true of the connection when it happened. */
export interface Told {
  readonly event: TcpEvent;
  /** Whether the peer has the segment that begins with this sequence number. */
  readonly isDelivered: (seq: number) => boolean;
  /** First sequence number that is not acknowledged. */
  readonly una: number;
}

interface Segment {
  delivered: boolean;
  lost: boolean;
  /** Retransmitted, and neither delivered nor lost again; a loss probe is not (tcp_send_loss_probe). */
  retransmitted: boolean;
}

const MSS = 1000;
const [OPEN, DISORDER, RECOVERY, LOSS] = [0, 1, 3, 4];

/**
 * A sender with selective acknowledgements as Linux has it, in short: loss is what is not delivered below what is; the
 * lowest lost segment is sent again first; a timeout takes all for lost. Gives the events of these steps, and the truth.
 */
export function tell(steps: readonly (readonly [Step, number])[], firstSeq: number): readonly Told[] {
  const told: Told[] = [];
  const segments: Segment[] = [];
  let [una, state, highSeq, retransmits, backoff, now] = [0, OPEN, 0, 0, 0, 0];
  let [hasProbeTimer, probed] = [true, -1];
  const seqOf = (segment: number) => (firstSeq + segment * MSS) >>> 0;

  const emit = (segment: number, change: Partial<TcpEvent>, pending: number, retransOut: number) => {
    const deliveredNow = segments.map(({ delivered }) => delivered);
    const time = traceNanos(now);
    told.push({
      event: anEvent({
        rung: "kprobe",
        segments: 1,
        time,
        ...change,
        socket: {
          key: 64 as SocketKey,
          caState: state,
          pending,
          retransmits,
          backoff,
          rto: 0.2 * 2 ** backoff,
          retransOut,
          seq: seqOf(segment),
          endSeq: seqOf(segment + 1),
        },
      }),
      isDelivered: (seq) => deliveredNow[((seq - firstSeq) | 0) / MSS] ?? false,
      una: seqOf(una),
    });
  };
  const outstanding = () => segments.map((_, i) => i).slice(una);
  const retransOut = () => outstanding().filter((i) => segments[i]!.retransmitted).length;
  const sendAgain = (change: Partial<TcpEvent>, pending: number) => {
    const segment = outstanding().find((i) => segments[i]!.lost && !segments[i]!.retransmitted);
    if (segment === undefined) return;
    emit(segment, change, pending, retransOut());
    segments[segment]!.retransmitted = true;
  };
  const settle = () => {
    if (state >= RECOVERY && una < highSeq) return;
    const isClean = outstanding().every((i) => {
      const { delivered, lost, retransmitted } = segments[i]!;
      return !delivered && !lost && !retransmitted;
    });
    state = isClean ? OPEN : DISORDER;
  };

  const steps_: Readonly<Record<Step, (random: number) => void>> = {
    send(random) {
      for (let i = 0; i <= random % 5; i++)
        segments.push({ delivered: false, lost: false, retransmitted: false });
    },
    deliver(random) {
      const flying = outstanding().filter((i) => {
        const { delivered, lost, retransmitted } = segments[i]!;
        return !delivered && (!lost || retransmitted);
      });
      const arrived = flying[random % flying.length];
      if (arrived === undefined) return;
      segments[arrived] = { delivered: true, lost: false, retransmitted: false };
      const before = una;
      while (segments[una]?.delivered) una++;
      if (una > before) [retransmits, backoff, hasProbeTimer] = [0, 0, state < RECOVERY];
      if (probed >= 0 && una > probed) probed = -1;
      settle();
    },
    lose_again(random) {
      const again = outstanding().filter((i) => segments[i]!.retransmitted);
      const segment = again[random % again.length];
      if (segment !== undefined) segments[segment]!.retransmitted = false;
    },
    detect() {
      const highest = outstanding().findLast((i) => segments[i]!.delivered);
      if (highest === undefined) return;
      for (const i of outstanding()) {
        const segment = segments[i]!;
        if (i < highest && !segment.delivered && !segment.retransmitted) segment.lost = true;
      }
      const enters = state < RECOVERY;
      if (enters) [state, highSeq, probed] = [RECOVERY, segments.length, -1];
      sendAgain({ cause: state === LOSS ? "slow_start" : "fast" }, enters && hasProbeTimer ? 5 : 1);
      hasProbeTimer = false;
    },
    retransmit() {
      if (state < RECOVERY) return;
      sendAgain({ cause: state === LOSS ? "slow_start" : "fast" }, 1);
    },
    timeout() {
      if (una === segments.length) return;
      now += 0.2e9 * 2 ** backoff;
      for (const i of outstanding()) {
        if (!segments[i]!.delivered) segments[i] = { delivered: false, lost: true, retransmitted: false };
      }
      [state, highSeq, probed, hasProbeTimer] = [LOSS, segments.length, -1, false];
      retransmits++;
      sendAgain({ cause: "timeout" }, 0);
      backoff++;
    },
    probe() {
      if (state !== OPEN || una === segments.length || probed >= 0) return;
      probed = segments.length - 1;
      hasProbeTimer = false;
      emit(probed, { kind: "loss_probe", cause: "tail_loss_probe" }, 5, 0);
    },
  };
  for (const [step, random] of steps) {
    now += (random % 1000) * 1e6;
    steps_[step](random);
  }
  return told;
}
