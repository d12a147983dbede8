import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ConntrackPair } from "../../src/host/conntrack-answer.ts";
import { parseXxd } from "./xxd.ts";

const FIXTURES = join(import.meta.dirname, "../fixtures/conntrack");

/** A request to a real kernel's connection tracking and its reply, little endian; 10.96.0.2 and fd00:96::2 are a service. */
export interface ConntrackExchange {
  readonly pair: ConntrackPair;
  readonly sequence: number;
  readonly request: Uint8Array;
  readonly reply: Uint8Array;
}

export function readExchange(name: string): ConntrackExchange {
  const text = readFileSync(join(FIXTURES, `${name}.xxd`), "utf8");
  const [, pair = "", sequence = ""] = /^# (\{.*\}) sequence (\d+)$/m.exec(text) ?? [];
  const [request = "", reply = ""] = text.split("# reply\n");
  return {
    pair: JSON.parse(pair),
    sequence: Number(sequence),
    request: parseXxd(request),
    reply: parseXxd(reply),
  };
}

/** A router's /proc/net/nf_conntrack, kernel 6.18, with entries of the exchanges. */
export function readConntrackText(): string {
  return readFileSync(join(FIXTURES, "6.18-nf_conntrack.txt"), "utf8");
}
