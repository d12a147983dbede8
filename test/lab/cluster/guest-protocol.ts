import type { NodeOrder } from "./node.ts";

/** What the virtual machine reads when it begins, as order.json of its output directory. */
export interface GuestOrder extends Omit<NodeOrder, "dir"> {
  readonly port: number;
}

/** What it is asked over HTTP, one path for each. */
export type GuestAnswer = { readonly value: unknown } | { readonly error: string };

/** How to run a program on each node that shares the kernel, by the node's name. */
export type NestedAnswer = Record<string, readonly [string, ...string[]]>;

/** Where it has its node's files. Writes are this machine's own: the root is an overlay in memory. */
export const NODE_DIR = "/run/node";
/** Where it has those of nodes that share its kernel, by name. */
export const NESTED_DIR = "/srv";

/** Where the virtual machine has its output directory. */
export const GUEST_OUT_DIR = "/run/lab";
