import { BlockList, isIP } from "node:net";
import { TCP_STATE_NAMES } from "../event/kernel-tcp.ts";
import { CAUSES, type Cause } from "../event/tcp-event.ts";
import type { AddressRange, NetnsSelector } from "./filters.ts";

/** What `--probe` takes: a rung, the best that works, or counters alone. */
export const PROBE_CHOICES = ["auto", "kprobe", "eprobe", "tracepoint", "counters"] as const;
export type ProbeChoice = (typeof PROBE_CHOICES)[number];

/** Turns the text behind an option into its value; throws RangeError whose message says what to give instead. */
export type ValueParser<T> = (text: string) => T;

/** setTimeout() takes no more milliseconds than 2^31 - 1. */
const MAX_SECONDS = 2_147_483;

/** A positive number of seconds, fractions allowed, up to 24 days. */
export function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d*\.?\d+$/.test(text) && seconds > 0 && seconds <= MAX_SECONDS) return seconds;
  throw new RangeError(`give seconds greater than 0 and up to ${MAX_SECONDS}, such as 10 or 0.5`);
}

/** Makes a parser of whole numbers from `min` to `max`. */
export function wholeNumber(min: number, max: number): ValueParser<number> {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new RangeError(`give a whole number from ${min} to ${max}`);
  };
}

/** Makes a parser of one word of a list. */
export function oneOf<const T extends string>(words: readonly T[]): ValueParser<T> {
  return (text) => {
    const word = words.find((candidate) => candidate === text);
    if (word !== undefined) return word;
    throw new RangeError(`give one of ${words.join(", ")}`);
  };
}

/** A cause of CAUSES. */
export const parseCause: ValueParser<Cause> = oneOf(CAUSES);

/** A state by the kernel's name, in any case; gives its number. */
export function parseState(text: string): number {
  const state = TCP_STATE_NAMES.indexOf(text.toUpperCase(), 1);
  if (state > 0) return state;
  throw new RangeError(`give one of ${TCP_STATE_NAMES.slice(1).join(", ")}`);
}

/** An address or a CIDR range; a v4-mapped one is taken as IPv4. */
export function parseRange(text: string): AddressRange {
  const [address = "", prefixText, ...rest] = text.split("/");
  const version = isIP(address);
  const bits = version === 4 ? 32 : 128;
  const prefix = prefixText === undefined ? bits : /^\d+$/.test(prefixText) ? Number(prefixText) : Infinity;
  if (version === 0 || address.includes("%") || rest.length > 0 || prefix > bits) {
    throw new RangeError("give an address or a CIDR range, such as 10.0.0.7, 10.0.0.0/8 or 2001:db8::/32");
  }
  if (version === 4) return { family: "ipv4", address, prefix };
  const mapped = prefix >= 96 ? unmapped(address) : undefined;
  if (mapped !== undefined) return { family: "ipv4", address: mapped, prefix: prefix - 96 };
  return { family: "ipv6", address, prefix };
}

/** A network namespace: its inode number, or a path to it. */
export function parseNetns(text: string): NetnsSelector {
  if (/^\d{1,10}$/.test(text)) return { kind: "inum", inum: Number(text) };
  if (text.includes("/")) return { kind: "path", path: text };
  throw new RangeError(
    "give an inode number (stat -L -c %i /proc/PID/ns/net) or a path such as /run/netns/NAME",
  );
}

/** Text of an IPv4 address inside a v4-mapped one (::ffff:0:0/96), however it is written. */
function unmapped(address: string): string | undefined {
  const mapped = new BlockList();
  mapped.addSubnet("::ffff:0:0", 96, "ipv6");
  if (!mapped.check(address, "ipv6")) return undefined;
  // The URL parser writes every IPv6 address one way, the last 32 bits as two groups.
  const groups = /^\[::ffff:([0-9a-f]+):([0-9a-f]+)\]$/.exec(new URL(`http://[${address}]`).hostname);
  const [high, low] = [groups?.[1], groups?.[2]].map((group) => Number.parseInt(group ?? "0", 16));
  if (high === undefined || low === undefined) return undefined;
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}
