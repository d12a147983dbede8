import { hostname } from "node:os";
import type { Config } from "../config/config.ts";
import { Enricher } from "../enrich/enricher.ts";
import type { TraceNanos } from "../event/trace-nanos.ts";
import type { HostConntrack } from "../host/conntrack.ts";
import { HostOwners } from "../host/host-owners.ts";
import { openHostConntrack } from "../host/open-host-conntrack.ts";
import { type ApiClient, openApiClient } from "../kube/api-client.ts";
import { ClusterWatch } from "../kube/cluster-watch.ts";
import { findNodeName } from "../kube/find-node-name.ts";
import type { Libc } from "../syscall/libc.ts";

export interface NamingSessionOptions {
  readonly config: Config;
  readonly version: string;
  readonly libc: Libc | undefined;
  /** Says one line to the person at the terminal. */
  readonly say: (line: string) => void;
  /** Ends the question which node this is. */
  readonly signal: AbortSignal;
}

/** Where the names come from while events flow. Disposing it ends its requests. */
export interface NamingSession extends AsyncDisposable {
  readonly watch: ClusterWatch;
  readonly host: HostOwners;
  readonly conntrack: HostConntrack;
  readonly nodeName: string | undefined;
  /** Looks for what is new on the host, and forgets what is old there: to be called once a second. */
  refresh(): void;
  /** The stage of the data path; `unixMs` turns the trace's times into Unix time. */
  enricher(unixMs: (time: TraceNanos) => number): Enricher;
}

/** A question to the API server that only makes the start nicer. */
const NODE_NAME_MS = 5_000;

/** Opens every source of names; throws KubeconfigError. An API server that is away is said and tried again. */
export async function openNamingSession(options: NamingSessionOptions): Promise<NamingSession> {
  const { config, version, libc, say } = options;
  const { kubernetes, names } = config;
  const { kubeconfig, scope } = kubernetes;
  await using undo = new AsyncDisposableStack();
  const client = await openApiClient({ kubeconfig, userAgent: `tcpretrans/${version}` });
  undo.defer(() => client.close());
  const now = () => performance.now();
  const { procPath: procRoot, cgroupPath: cgroupRoot } = config.host;
  const { netnsPath } = kubernetes;
  const host = undo.use(new HostOwners({ procRoot, cgroupRoot, netnsPath, libc, now, unixMs: Date.now }));
  const conntrack = undo.use(openHostConntrack({ procRoot, libc }));
  if (conntrack.note !== undefined) say(conntrack.note);
  const nodeName = kubernetes.nodeName ?? (await askNodeName(client, host, options));
  const watched = nodeName === undefined ? "cluster" : scope;
  const watch = new ClusterWatch({
    client,
    ...{ scope: watched, say, ownNode: nodeName, firstWithinMs: 0 },
    withServiceCidrs: kubernetes.serviceCidrs,
    tombstones: { keepMs: kubernetes.tombstones.seconds * 1000, maxCount: kubernetes.tombstones.count },
    cidrNames: Object.fromEntries(names.cidrs.map(({ name, cidr }) => [cidr, name])),
    clusterRanges: kubernetes.clusterCidrs,
  });
  const ending = new AbortController();
  const running = watch.run(ending.signal);
  undo.defer(async () => {
    ending.abort();
    await running;
  });
  const owned = undo.move();
  return {
    ...{ watch, host, conntrack, nodeName },
    refresh: () => host.refresh(),
    enricher(unixMs) {
      const { socketLevelServices } = kubernetes;
      const wholeCluster = watched === "cluster";
      const sources = { cluster: watch.index, host, conntrack, nodeName, socketLevelServices, wholeCluster };
      return new Enricher({ sources, unixMs });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function askNodeName(
  client: ApiClient,
  host: HostOwners,
  { config, say, signal }: NamingSessionOptions,
): Promise<string | undefined> {
  const found = await findNodeName({
    client,
    hostname: hostname(),
    isHostAddress: (address) => host.isHostAddress(address),
    withinMs: NODE_NAME_MS,
    signal,
  });
  if (found.kind === "found") return found.name;
  if (signal.aborted) return undefined;
  const all = config.kubernetes.scope === "local" ? "; every pod is watched" : "";
  say(`Cannot tell which node this is: give --node-name${all}. ${found.sentence}`);
  return undefined;
}
