/** How a setting is written on the command line and in the environment. */
export interface Setting {
  /** Where it stands in the configuration. */
  readonly path: readonly [string, ...string[]];
  /** As commander takes it: `--name <value>`, or `--name` alone for a switch. */
  readonly flag: string;
  /** Environment variable; a list is separated by commas. The flag wins. */
  readonly env: string;
  readonly description: string;
  readonly kind: "text" | "number" | "switch" | "list" | "named";
}

/** Every setting that has a flag, once: help, environment and documents are made from it. */
export const SETTINGS = [
  {
    path: ["kubernetes", "kubeconfig"],
    flag: "--kubeconfig <file>",
    env: "TCPRETRANS_KUBECONFIG",
    description: "how to reach the API server; else as kubectl",
    kind: "text",
  },
  {
    path: ["kubernetes", "nodeName"],
    flag: "--node-name <name>",
    env: "NODE_NAME",
    description: "this node's name; else found by its addresses",
    kind: "text",
  },
  {
    path: ["kubernetes", "scope"],
    flag: "--scope <scope>",
    env: "TCPRETRANS_SCOPE",
    description: "watch the pods of this node (local) or all (cluster)",
    kind: "text",
  },
  {
    path: ["names", "cidrs"],
    flag: "--cidr-name <name=range>",
    env: "TCPRETRANS_CIDR_NAMES",
    description: "name a range outside the cluster (repeatable)",
    kind: "named",
  },
  {
    path: ["kubernetes", "clusterCidrs"],
    flag: "--cluster-cidr <range>",
    env: "TCPRETRANS_CLUSTER_CIDRS",
    description: "a range that is the cluster's own (repeatable)",
    kind: "list",
  },
  {
    path: ["kubernetes", "serviceCidrs"],
    flag: "--service-cidrs",
    env: "TCPRETRANS_SERVICE_CIDRS",
    description: "read the service ranges (needs list on servicecidrs)",
    kind: "switch",
  },
  {
    path: ["kubernetes", "socketLevelServices"],
    flag: "--socket-level-services",
    env: "TCPRETRANS_SOCKET_LEVEL_SERVICES",
    description: "services are resolved at the socket, as by Cilium",
    kind: "switch",
  },
  {
    path: ["kubernetes", "tombstones", "seconds"],
    flag: "--tombstone-seconds <n>",
    env: "TCPRETRANS_TOMBSTONE_SECONDS",
    description: "how long what is gone stays known (600)",
    kind: "number",
  },
  {
    path: ["kubernetes", "tombstones", "count"],
    flag: "--tombstone-count <n>",
    env: "TCPRETRANS_TOMBSTONE_COUNT",
    description: "how many of them at most (20000)",
    kind: "number",
  },
] as const satisfies readonly Setting[];
