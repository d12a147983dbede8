import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** The values of CONFIG_HZ that kernel/Kconfig.hz offers. */
const HZ_CHOICES = [100, 250, 300, 1000] as const;
/** `INITIAL_JIFFIES` is (unsigned int)(-300*HZ): jiffies wraps 32 bits at 300 s (include/linux/jiffies.h). */
const WRAP_SECONDS = 300;
const TWO_POW_32 = 4_294_967_296;
/** How many times nearer the best value must be than the next: a booting VM was seen to lose 39 ticks. */
const MARGIN = 4;
const LOOKS = 3;
const LOOK_AGAIN_MS = 700;
/** The first CPU's part of timer_list; its `jiffies:` line is the first of the file. */
const MAX_BYTES = 1 << 20;

/** One reading of /proc/timer_list. */
export interface TimerListLook {
  /** `now at`: CLOCK_MONOTONIC in seconds. */
  readonly seconds: number;
  readonly jiffies: number;
}

/**
 * The kernel's CONFIG_HZ, which turns a socket's jiffies into seconds; undefined where
 * `<procRoot>/timer_list` cannot be read. Looks again a moment later when asked about 300 s after boot.
 */
export async function readKernelHz({ procRoot }: { readonly procRoot: string }): Promise<number | undefined> {
  for (let look = 1; look <= LOOKS; look++) {
    const text = readUntilJiffies(join(procRoot, "timer_list"));
    const parsed = text === undefined ? undefined : parseTimerList(text);
    if (parsed === undefined) return undefined;
    const hz = hzOf(parsed);
    if (hz !== undefined) return hz;
    if (look < LOOKS) await delay(LOOK_AGAIN_MS);
  }
  return undefined;
}

/** Finds `now at N nsecs` and the first `jiffies: N`; undefined when either is absent. */
export function parseTimerList(text: string): TimerListLook | undefined {
  const now = /^now at (\d+) nsecs$/m.exec(text)?.[1];
  const jiffies = /^jiffies: (\d+)$/m.exec(text)?.[1];
  if (now === undefined || jiffies === undefined) return undefined;
  return { seconds: Number(now) / 1e9, jiffies: Number(jiffies) };
}

/** The HZ whose jiffies would read nearest at that time; undefined where another would read almost as near. */
export function hzOf({ seconds, jiffies }: TimerListLook): number | undefined {
  const ticks = jiffies - TWO_POW_32;
  const byError = HZ_CHOICES.map((hz) => ({ hz, error: Math.abs(ticks - hz * (seconds - WRAP_SECONDS)) }));
  const [best, next] = byError.sort((a, b) => a.error - b.error);
  return best !== undefined && next !== undefined && best.error * MARGIN < next.error ? best.hz : undefined;
}

function readUntilJiffies(path: string): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return undefined;
  }
  try {
    const chunk = Buffer.alloc(16_384);
    let text = "";
    while (text.length < MAX_BYTES) {
      const length = readSync(fd, chunk, 0, chunk.length, null);
      if (length === 0) break;
      text += chunk.toString("latin1", 0, length);
      if (/^jiffies: \d+\n/m.test(text)) break;
    }
    return text;
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}
