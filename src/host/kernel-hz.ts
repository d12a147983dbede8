import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** The values of CONFIG_HZ that kernel/Kconfig.hz offers. */
const HZ_CHOICES = [100, 250, 300, 1000] as const;
/** `INITIAL_JIFFIES` is (unsigned int)(-300*HZ): jiffies wraps 32 bits at 300 s (include/linux/jiffies.h). */
const WRAP_SECONDS = 300;
const TWO_POW_32 = 4_294_967_296;
/** Ticks by which jiffies may lag behind the clock: a late tick, an idle CPU, the time between both lines. */
const LAG_TICKS = 20;
/** Most that CLOCK_MONOTONIC, steered by NTP, may run away from the tick. */
const DRIFT = 0.002;
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

/** The one HZ whose jiffies would read so at that time; undefined when none or several would. */
export function hzOf({ seconds, jiffies }: TimerListLook): number | undefined {
  const ticks = jiffies - TWO_POW_32;
  const fitting = HZ_CHOICES.filter((hz) => {
    const expected = hz * (seconds - WRAP_SECONDS);
    return Math.abs(ticks - expected) <= LAG_TICKS + DRIFT * hz * seconds;
  });
  return fitting.length === 1 ? fitting[0] : undefined;
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
