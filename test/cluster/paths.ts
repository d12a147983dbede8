import { hostPort, NODE_A, NODE_B, type NodePlan, OUTSIDE } from "../lab/cluster/plan.ts";
import type { LineEnd } from "./named-line.ts";

export type Rung = "tracepoint" | "kprobe";

/** One row of the table "who can name whom": a way from a client to a server. */
export interface Path {
  readonly name: string;
  readonly hostClient?: true;
  readonly hostServer?: true;
  /** Client and server are on one node. */
  readonly oneNode?: true;
  readonly outside?: true;
  /** What the client's end of a connection must say of its peer. */
  readonly clientSees: (row: Row) => Expected;
  /** What the server's end must say of its peer. */
  readonly serverSees: (row: Row) => Expected;
}

/** A path in one address family with the client on one of the nodes. */
export interface Row {
  readonly path: Path;
  readonly family: "v4" | "v6";
  readonly client: NodePlan;
  readonly server: NodePlan;
  /** Of this row only, on the server; on services too. */
  readonly port: number;
  readonly nodePort: number;
}

/** What an end must say; a name that is not given must not be said. */
export interface Expected {
  readonly kinds: readonly string[];
  readonly pod?: string;
  readonly service?: string;
  readonly node?: string;
  readonly methods?: readonly string[];
}

/** Ports of rows; loss falls on them. */
export const ROW_PORTS = { low: 20_000, high: 20_099 };
export const ROW_NODE_PORTS = { low: 30_100, high: 30_199 };

const FAMILIES = ["v4", "v6"] as const;

export const PATHS: readonly Path[] = [
  {
    name: "ClusterIP",
    clientSees: ({ server }) => backend(`web-${side(server)}`, server),
    serverSees: ({ client }) => podBy("address", `client-${side(client)}`, client),
  },
  {
    name: "NodePort via the client's node",
    clientSees: ({ server }) => backend(`web-${side(server)}`, server),
    serverSees: ({ client }) => masqueraded(client),
  },
  {
    name: "NodePort via the server's node",
    clientSees: ({ server }) => frontend(`web-${side(server)}`, server),
    serverSees: ({ client }) => podBy("conntrack", `client-${side(client)}`, client),
  },
  {
    name: "NodePort, policy Local",
    clientSees: ({ server }) => frontend(`local-${side(server)}`, server),
    serverSees: ({ client }) => podBy("address", `client-${side(client)}`, client),
  },
  {
    name: "hostNetwork client to ClusterIP",
    hostClient: true,
    clientSees: ({ server }) => backend(`web-${side(server)}`, server),
    serverSees: ({ client }) => masqueraded(client),
  },
  {
    name: "hairpin, own node's NodePort",
    oneNode: true,
    clientSees: ({ server }) => backend(`web-${side(server)}`, server),
    serverSees: ({ client }) => podBy("conntrack", `client-${side(client)}`, client),
  },
  {
    name: "pod to pod",
    clientSees: ({ server }) => podBy("address", `server-${side(server)}`, server),
    serverSees: ({ client }) => podBy("address", `client-${side(client)}`, client),
  },
  {
    name: "hostNetwork server",
    hostServer: true,
    // One EndpointSlice address and port says which pod of the node it is.
    clientSees: ({ server }) => podBy("endpointslice", `host-server-${side(server)}`, server),
    serverSees: ({ client }) => podBy("address", `client-${side(client)}`, client),
  },
  {
    name: "pod to outside",
    outside: true,
    clientSees: () => ({ kinds: ["external"] }),
    serverSees: () => ({ kinds: [] }),
  },
];

/** Every path in both families with the client on either node. */
export const ROWS: readonly Row[] = PATHS.flatMap((path, p) =>
  FAMILIES.flatMap((family, f) =>
    [NODE_A, NODE_B].map((client, c) => {
      const server = path.oneNode ? client : client === NODE_A ? NODE_B : NODE_A;
      const index = p * 4 + f * 2 + c;
      return {
        path,
        family,
        client,
        server,
        port: ROW_PORTS.low + index,
        nodePort: ROW_NODE_PORTS.low + index,
      };
    }),
  ),
);

/** Servers accept on it too; no row has it. */
export const SPARE_PORT = ROW_PORTS.low + ROWS.length;

/** Ports of a path's rows, on which a loss of its own can fall. */
export function portsOf(rows: readonly Row[]): { readonly low: number; readonly high: number } {
  const ports = rows.map(({ port }) => port);
  return { low: Math.min(...ports), high: Math.max(...ports) };
}

/** `a` or `b`: names of pods and services end so. */
export function side(node: NodePlan): string {
  return node === NODE_A ? "a" : "b";
}

export function clientPod({ path, client }: Row): string {
  return `${path.hostClient ? "host-client" : "client"}-${side(client)}`;
}

export function serverPod({ path, server }: Row): string {
  return `${path.hostServer ? "host-server" : "server"}-${side(server)}`;
}

/** What an end must say of itself on a rung. */
export function localEnd(row: Row, end: "client" | "server", rung: Rung): Expected {
  const node = end === "client" ? row.client : row.server;
  const onHost = end === "client" ? row.path.hostClient : row.path.hostServer;
  const pod = end === "client" ? clientPod(row) : serverPod(row);
  if (rung === "kprobe") return podBy("cgroup", pod, node, "netns");
  return onHost ? { kinds: ["node"], node: node.name } : podBy("address", pod, node);
}

/** What a client connects to. */
export function targetOf(
  row: Row,
  known: {
    readonly services: Readonly<Record<string, Readonly<Record<Row["family"], string>>>>;
    readonly pods: Readonly<Record<string, Readonly<Record<Row["family"], string>>>>;
  },
): string {
  const { path, family, client, server, port, nodePort } = row;
  const s = side(server);
  const service = (name: string) => known.services[name]?.[family] ?? "";
  switch (path.name) {
    case "ClusterIP":
    case "hostNetwork client to ClusterIP":
      return hostPort(service(`web-${s}`), port);
    case "NodePort via the client's node":
    case "hairpin, own node's NodePort":
      return hostPort(client.address[family], nodePort);
    case "NodePort via the server's node":
    case "NodePort, policy Local":
      return hostPort(server.address[family], nodePort);
    case "pod to pod":
      return hostPort(known.pods[`server-${s}`]?.[family] ?? "", port);
    case "hostNetwork server":
      return hostPort(server.address[family], port);
    default:
      return hostPort(OUTSIDE.address[family], port);
  }
}

/** Says what differs between what an end says and what it must say, or undefined. */
export function differs(end: LineEnd, expected: Expected): string | undefined {
  const wrong: string[] = [];
  const compare = (what: string, said: string | undefined, wanted: string | undefined) => {
    if (said !== wanted) wrong.push(`${what} ${said ?? "not said"}, not ${wanted ?? "to be said"}`);
  };
  if (!expected.kinds.includes(end.kind ?? ""))
    wrong.push(`kind ${end.kind}, not ${expected.kinds.join("|")}`);
  compare("pod", end.pod, expected.pod);
  compare("service", end.service, expected.service);
  if (expected.node !== undefined || end.kind === "external") compare("node", end.node, expected.node);
  if (expected.methods !== undefined && !expected.methods.includes(end.method ?? ""))
    wrong.push(`method ${end.method}, not ${expected.methods.join("|")}`);
  return wrong.length === 0 ? undefined : wrong.join(", ");
}

function podBy(method: string, pod: string, node: NodePlan, ...others: readonly string[]): Expected {
  return { kinds: ["pod"], pod, node: node.name, methods: [method, ...others] };
}

/** A service with the backend behind it, by conntrack of the client's node. */
function backend(service: string, server: NodePlan): Expected {
  return {
    kinds: ["pod"],
    service,
    pod: `server-${side(server)}`,
    node: server.name,
    methods: ["conntrack"],
  };
}

/** A service that another node translates: its backend cannot be known. */
function frontend(service: string, server: NodePlan): Expected {
  return { kinds: ["service"], service, node: server.name, methods: ["address"] };
}

/** What the client's node put its own address before: that node at best, where its status has that address. */
function masqueraded(client: NodePlan): Expected {
  return client.link.v4 === client.address.v4
    ? { kinds: ["node"], node: client.name }
    : { kinds: ["unknown"] };
}
