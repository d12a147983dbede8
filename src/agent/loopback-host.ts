import { BlockList, isIP } from "node:net";

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** Whether an address is one of this host's to itself, a v4-mapped one too. */
export function isLoopback(address: string): boolean {
  const version = isIP(address);
  return version !== 0 && LOOPBACK.check(address, version === 4 ? "ipv4" : "ipv6");
}

/**
 * Whether a Host header says an address, or localhost, or nothing (HTTP/1.0): a name that someone else may have made
 * to point at loopback is none of these.
 */
export function isSafeHost(host: string | undefined): boolean {
  if (host === undefined || host === "") return true;
  const name = host.replace(/:\d*$/, "").toLowerCase();
  if (name === "localhost" || name.endsWith(".localhost")) return true;
  return isIP(name.replace(/^\[(.*)\]$/, "$1")) !== 0;
}
