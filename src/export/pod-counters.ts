/** What the kernel has counted in a pod's own network namespace since that was made. */
export interface PodCounterReading {
  /** The namespace's inode number. */
  readonly netns: number;
  /** OutSegs, which leaves retransmits out. */
  readonly sent: bigint;
  /** RetransSegs. */
  readonly retransmitted: bigint;
  /** The namespace is younger than the agent: all of its first reading counts too. Else counting begins there. */
  readonly isWhole: boolean;
}

/** How far counters moved between two readings. */
export interface PodCounterMove {
  readonly sent: number;
  readonly retransmitted: number;
}

/** Turns readings of pods' counters into what they moved, never backwards. */
export class PodCounters {
  readonly #last = new Map<string, PodCounterReading>();

  move(uid: string, reading: PodCounterReading): PodCounterMove {
    const last = this.#last.get(uid);
    this.#last.set(uid, reading);
    if (last === undefined) return reading.isWhole ? sinceBirth(reading) : { sent: 0, retransmitted: 0 };
    if (isAnother(reading, last)) return sinceBirth(reading);
    return {
      sent: Number(reading.sent - last.sent),
      retransmitted: Number(reading.retransmitted - last.retransmitted),
    };
  }

  podGone(uid: string): void {
    this.#last.delete(uid);
  }
}

/** A pod gets a new namespace with a new sandbox, and the kernel may give it the old one's number. */
function isAnother(reading: PodCounterReading, last: PodCounterReading): boolean {
  const { netns, sent, retransmitted } = reading;
  return netns !== last.netns || sent < last.sent || retransmitted < last.retransmitted;
}

function sinceBirth({ sent, retransmitted }: PodCounterReading): PodCounterMove {
  return { sent: Number(sent), retransmitted: Number(retransmitted) };
}
