import { join } from "node:path";
import type { NodeOrder } from "./node.ts";
import { NODE_B, type NodePlan } from "./plan.ts";

/** What the virtual machine reads when it begins, as order.json of its output directory. */
export interface GuestOrder extends Omit<NodeOrder, "dir"> {
  readonly port: number;
}

/** What it is asked over HTTP, one path for each. */
export type GuestAnswer = { readonly value: unknown } | { readonly error: string };

/** How to run a program on each node that shares the kernel, by the node's name. */
export type NestedAnswer = Record<string, readonly [string, ...string[]]>;

/** Where the virtual machine has its output directory. */
export const GUEST_OUT_DIR = "/run/lab";

/** Where a node of the virtual machine has its files; what is written there is in memory. */
export function guestNodeDir(plan: NodePlan): string {
  return plan.name === NODE_B.name ? "/run/node" : join("/srv", plan.name);
}
