import type { Cause, Rung } from "../event/tcp-event.ts";

/** What a rung sees, in words. */
export const RUNG_WORDS: Readonly<Record<Rung | "counters", string>> = {
  kprobe: "every attempt to retransmit and what became of it, from the kernel's own functions",
  eprobe: "every retransmit that was sent, with its socket's fields, from the kernel's trace events",
  tracepoint: "every retransmit that was sent, its cause by the kernel's stack",
  counters: "how many segments each network namespace sent again; of no connection",
};

/** What a cause means, in words. */
export const CAUSE_WORDS: Readonly<Record<Cause, string>> = {
  timeout: "no acknowledgement came until the timer ran out: the connection stood still",
  fast: "acknowledgements of later segments told of the loss",
  slow_start: "what else a timeout had given up as lost",
  tail_loss_probe: "the last segment again, to ask whether it arrived",
  syn: "a connection was opened, and nobody answered",
  syn_ack: "a connection was accepted, and its answer was lost or not confirmed",
  reordering: "what was late for too long to be only out of order",
  mtu: "the path takes only smaller packets",
  window_probe: "the receiver's window is closed, and it does not answer",
  other: "not told apart by this rung",
};

/** `12,345`. */
export function formatCount(count: number): string {
  return formatWhole(count);
}

/** `0`, `0.3`, `12,345`: tenths below ten. */
export function formatRate(perSecond: number): string {
  return perSecond > 0 && perSecond < 9.95 ? formatTenths(perSecond) : formatWhole(perSecond);
}

/** With spaces that do not break: `0.4 s`, `41 s`, `12 min`, `3 h 5 min`, `2 d 4 h`. */
export function formatDuration(seconds: number): string {
  if (seconds > 0 && seconds < 9.95) return `${formatTenths(seconds)}\u00a0s`;
  if (seconds < 119.5) return `${formatWhole(seconds)}\u00a0s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes}\u00a0min`;
  if (minutes < 48 * 60) return twoUnits(minutes, 60, ["h", "min"]);
  return twoUnits(Math.round(minutes / 60), 24, ["d", "h"]);
}

/** A part of a whole in percent, never rounded up to all: `99.99 %`. */
export function formatShare(part: number, whole: number): string {
  const percent = (100 * part) / whole;
  if (part >= whole) return `${formatWhole(percent)}\u00a0%`;
  return `${(Math.floor(percent * 100) / 100).toFixed(2)}\u00a0%`;
}

/** `17.3 MiB`, `640 KiB`. */
export function formatBytes(bytes: number): string {
  if (bytes === 0) return "0";
  const kib = bytes / 1024;
  return kib < 1024 ? `${formatWhole(Math.ceil(kib))}\u00a0KiB` : `${formatTenths(kib / 1024)}\u00a0MiB`;
}

/** How full something is, in whole percent, never rounded down to nothing: `1 %`. */
export function formatFill(part: number, whole: number): string {
  return `${formatWhole(Math.ceil((100 * part) / whole))}\u00a0%`;
}

/** UTC time of day, with the date where it is another day than `now`'s. */
export function formatMoment(unixMs: number, nowUnixMs: number, { millis = false } = {}): string {
  const text = new Date(unixMs).toISOString();
  const time = text.slice(11, millis ? 23 : 19);
  const date = text.slice(0, 10);
  return date === new Date(nowUnixMs).toISOString().slice(0, 10) ? time : `${date} ${time}`;
}

function twoUnits(count: number, size: number, [large, small]: readonly [string, string]): string {
  const rest = count % size;
  const whole = `${Math.floor(count / size)}\u00a0${large}`;
  return rest === 0 ? whole : `${whole}\u00a0${rest}\u00a0${small}`;
}

/** Not by Intl, whose tables take 7 MiB of memory: `12,345`. */
function formatWhole(value: number): string {
  return grouped(Math.round(value).toFixed(0));
}

/** `12,345.6`. */
function formatTenths(value: number): string {
  const text = value.toFixed(1);
  return grouped(text.slice(0, -2)) + text.slice(-2);
}

/** Digits with a comma before each three. */
function grouped(digits: string): string {
  let text = digits.slice(-3);
  for (let end = digits.length - 3; end > 0; end -= 3)
    text = `${digits.slice(Math.max(0, end - 3), end)},${text}`;
  return text;
}
