import { setTimeout as sleep } from "node:timers/promises";
import { type ApiClient, openApiClient } from "../../src/kube/api-client.ts";
import { ClusterWatch } from "../../src/kube/cluster-watch.ts";
import type { LabApiServer } from "../lab/api-server.ts";
import type { ApiFiller } from "./fill-api-server.ts";
import { clusterOf } from "./real-objects.ts";

const PODS = 120;
const FIRST_WITHIN_MS = 2_000;
const DOWN_MS = 3_000;

/** Requests of all agents over a time. */
export interface RequestSpread {
  /** Requests of each second, and those of them that ask for a state: streaming lists and lists. */
  readonly perSecond: readonly { readonly all: number; readonly lists: number; readonly refused: number }[];
  /** Until every agent knew all (again), in seconds. */
  readonly seconds: number;
}

export interface RelistSpread {
  readonly agents: number;
  readonly start: RequestSpread;
  /** From when the restarted API server was ready. */
  readonly restart: RequestSpread;
  /** How long it was away, in seconds. */
  readonly awaySeconds: number;
  /** Lists after a 410, of all agents. */
  readonly relists: number;
}

interface Asked {
  readonly atMs: number;
  readonly isList: boolean;
  refused: boolean;
}

/**
 * So many agents as they start together, and when the API server restarts while the cluster goes on changing, so that
 * each of their watches is behind. The API server must be a new one.
 */
export async function relistSpread(
  server: LabApiServer,
  filler: ApiFiller,
  agents: number,
): Promise<RelistSpread> {
  await filler.grow(clusterOf(PODS));
  const asked: Asked[] = [];
  const stop = new AbortController();
  const startMs = performance.now();
  const watches = await Promise.all(
    Array.from({ length: agents }, async () => {
      const client = await openApiClient({ kubeconfig: server.kubeconfig("admin"), userAgent: "agent" });
      const watch = new ClusterWatch({
        ...{ client: noting(client, asked), scope: "cluster", ownNode: "node-0001", say: () => {} },
        ...{ withServiceCidrs: false, firstWithinMs: FIRST_WITHIN_MS },
      });
      return { watch, client, running: watch.run(stop.signal) };
    }),
  );
  const isComplete = () => watches.every(({ watch }) => watch.index.complete);
  while (!isComplete()) await sleep(50);
  const start = spreadOf(asked, startMs);
  await sleep(6_000); // a watch that lives this long has recovered
  const downMs = performance.now();
  await server.down();
  await filler.grow(clusterOf(PODS + 60));
  await sleep(DOWN_MS);
  await server.up();
  const upMs = performance.now();
  const knowsAll = () => watches.every(({ watch }) => watch.index.counts().pods === PODS + 60);
  while (!(knowsAll() && isComplete())) await sleep(50);
  const restart = spreadOf(asked, upMs);
  const relists = watches.flatMap(({ watch }) => [...watch.resources().values()]);
  stop.abort();
  for (const { client, running } of watches) {
    await running;
    client.close();
  }
  return {
    ...{ agents, start, restart, awaySeconds: (upMs - downMs) / 1000 },
    relists: relists.reduce((sum, { counters }) => sum + counters.relists, 0),
  };
}

function noting(client: ApiClient, asked: Asked[]): ApiClient {
  return {
    server: client.server,
    read: async (target, options) => {
      const { watch, sendInitialEvents } = options.query;
      const isList = watch === undefined || sendInitialEvents !== undefined;
      const note = { atMs: performance.now(), isList, refused: false };
      asked.push(note);
      const problem = await client.read(target, options);
      if (problem?.kind === "throttled") note.refused = true;
      return problem;
    },
    renew: () => client.renew(),
    close: () => client.close(),
  };
}

function spreadOf(asked: readonly Asked[], sinceMs: number): RequestSpread {
  const seconds = (performance.now() - sinceMs) / 1000;
  const perSecond = Array.from({ length: Math.ceil(seconds) }, (_, second) => {
    const from = sinceMs + second * 1000;
    const within = asked.filter(({ atMs }) => atMs >= from && atMs < from + 1000);
    const count = (test: (each: Asked) => boolean) => within.filter(test).length;
    return {
      all: within.length,
      lists: count((each) => each.isList),
      refused: count((each) => each.refused),
    };
  });
  return { perSecond, seconds };
}
