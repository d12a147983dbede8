import { statSync } from "node:fs";
import { BlockList } from "node:net";
import type { Cause, TcpEvent } from "../event/tcp-event.ts";
import { UsageError } from "./usage-error.ts";

/** An address (with the full prefix) or a range of addresses. */
export interface AddressRange {
  readonly family: "ipv4" | "ipv6";
  readonly address: string;
  readonly prefix: number;
}

/** A network namespace by its inode number or by a path to it. */
export type NetnsSelector =
  | { readonly kind: "inum"; readonly inum: number }
  | { readonly kind: "path"; readonly path: string };

/** Values of one filter are alternatives; an empty list lets everything through. */
export interface Filters {
  readonly local: readonly AddressRange[];
  readonly remote: readonly AddressRange[];
  /** Port of either end. */
  readonly port: readonly number[];
  /** Kernel state numbers. */
  readonly state: readonly number[];
  readonly type: readonly Cause[];
  readonly netns: readonly NetnsSelector[];
}

/** Says whether an event is one of those asked for. */
export type EventPredicate = (event: TcpEvent) => boolean;

/** Addresses whose answer is remembered per filter; when full, all are forgotten. */
const MAX_REMEMBERED = 8192;

/**
 * Compiles filters to one predicate. All of them apply to every event alike:
 * sent, failed and loss probes. A namespace filter matches nothing on a rung that does not tell the namespace.
 * Throws UsageError where a namespace's path cannot be read.
 */
export function compileFilters(filters: Filters): EventPredicate {
  const { local, remote, port, state, type } = filters;
  const tests: EventPredicate[] = [];
  if (type.length > 0) {
    const causes = new Set(type);
    tests.push(({ cause }) => causes.has(cause));
  }
  if (state.length > 0) tests.push(({ socket }) => state.includes(socket.state));
  if (port.length > 0) {
    tests.push(({ socket }) => port.includes(socket.localPort) || port.includes(socket.peerPort));
  }
  const inums = selectedNamespaces(filters);
  if (inums !== undefined) tests.push(({ socket }) => socket.netns !== undefined && inums.has(socket.netns));
  if (local.length > 0) {
    const matches = addressTest(local);
    tests.push(({ socket }) => matches(socket.localAddress, socket.ipVersion));
  }
  if (remote.length > 0) {
    const matches = addressTest(remote);
    tests.push(({ socket }) => matches(socket.peerAddress, socket.ipVersion));
  }
  const [only] = tests;
  if (only === undefined) return () => true;
  if (tests.length === 1) return only;
  return (event) => tests.every((test) => test(event));
}

/** Inode numbers of the namespaces asked for; undefined for all. Throws UsageError as compileFilters() does. */
export function selectedNamespaces({ netns }: Filters): ReadonlySet<number> | undefined {
  return netns.length === 0 ? undefined : new Set(netns.map(readInum));
}

function addressTest(ranges: readonly AddressRange[]): (address: string, ipVersion: 4 | 6) => boolean {
  const list = new BlockList();
  for (const { address, prefix, family } of ranges) list.addSubnet(address, prefix, family);
  const remembered = new Map<string, boolean>();
  return (address, ipVersion) => {
    const known = remembered.get(address);
    if (known !== undefined) return known;
    const answer = list.check(address, ipVersion === 4 ? "ipv4" : "ipv6");
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(address, answer);
    return answer;
  };
}

function readInum(selector: NetnsSelector): number {
  if (selector.kind === "inum") return selector.inum;
  try {
    return statSync(selector.path).ino;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : error;
    const advice = "give the path of a network namespace, such as /run/netns/NAME";
    throw new UsageError([`Cannot use --netns ${selector.path}: stat says ${code}; ${advice}`]);
  }
}
