import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../lab/cluster/cluster.ts";
import { until } from "../lab/cluster/until.ts";
import { LostRight } from "./lost-right.ts";
import type { NodeWatch } from "./node-watch.ts";
import {
  addressesOf,
  createFresh,
  createSteadyPods,
  FRESH,
  other,
  PORTS,
  STEADY,
  serverOn,
  startStaticPod,
} from "./outage-pods.ts";
import type { Check } from "./report.ts";
import { Talk, tallyNames } from "./talk.ts";
import type { TrafficLog } from "./traffic-log.ts";

const AWAY_MS = 60_000;
/** A retransmit comes in each such part of that minute. */
const PART_MS = 20_000;
const SLOW_MS = 300_000;
/** Of a process, while nothing is kept: what the heap may have grown before it is collected. */
const MOST_GROWN_KB = 40_000;
/** Sockets of tries that are under way. */
const MOST_OPENED = 8;

interface Use {
  /** Without pages of files: those of Node's program are unmapped when it is quiet, and come back with work. */
  readonly ownKb: number;
  readonly files: number;
}

/** The API server is away for a minute while events flow, and with its watches three programs lose a right each. */
export class OutageTest implements AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #log: TrafficLog;
  readonly #lost: readonly LostRight[];
  readonly #before = new Map<NodeWatch, Use>();
  readonly #after = new Map<NodeWatch, Use>();
  #awayMs = { from: 0, until: 0 };

  private constructor(cluster: Cluster, log: TrafficLog, lost: readonly LostRight[]) {
    this.#cluster = cluster;
    this.#log = log;
    this.#lost = lost;
  }

  /** Makes pods that talk all the time, and starts the programs that will lose a right. */
  static async start(cluster: Cluster, log: TrafficLog): Promise<OutageTest> {
    const [lost] = await Promise.all([LostRight.startAll(cluster, log), createSteadyPods(cluster)]);
    return new OutageTest(cluster, log, lost);
  }

  /** While packets are lost: those programs have names when this returns. */
  async begin(): Promise<void> {
    await Promise.all(this.#lost.map(({ watcher }) => watcher.awaitNames()));
  }

  async run(watchers: readonly NodeWatch[]): Promise<void> {
    const lost = this.#lost;
    for (const each of lost) await each.take();
    const pods = await this.#beAway(watchers);
    const lacking = async () => {
      await createFresh(this.#cluster);
      await Promise.all(watchers.map((watcher) => this.#knowsFresh(watcher)));
      await Promise.all(lost.map((each) => each.isSaid()));
      await Promise.all(lost.map((each) => each.recover()));
    };
    await Promise.all([...watchers.map((watcher) => this.#knows(watcher, pods)), lacking()]);
  }

  /** Ends the programs; for a second time too. */
  async stop(): Promise<void> {
    await Promise.all(this.#lost.map(({ watcher }) => watcher.stop()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** When all have ended. */
  judge(watchers: readonly NodeWatch[]): readonly Check[] {
    return [
      ...watchers.map((watcher) => this.#judgeAway(watcher)),
      ...this.#lost.map((each) => each.check()),
    ];
  }

  /** Gives the pods that were made meanwhile. */
  async #beAway(watchers: readonly NodeWatch[]): Promise<readonly string[]> {
    const { a, b, controlPlane } = this.#cluster;
    const servers = await Promise.all(
      [a, b].map(({ plan }) => addressesOf(this.#cluster, serverOn(other(plan)))),
    );
    for (const watcher of watchers) this.#before.set(watcher, await useOf(watcher));
    await controlPlane.stopApiServer();
    const from = Date.now();
    const pods: string[] = [];
    for (const [i, place] of [a, b].entries()) {
      const server = servers[i];
      if (server !== undefined) pods.push(await startStaticPod(place, server));
    }
    await until(
      "the pods that kubelet started by itself to talk",
      () => pods.every((pod) => this.#talks(pod)),
      {
        timeoutMs: SLOW_MS,
      },
    );
    await sleep(Math.max(0, from + AWAY_MS - Date.now()));
    this.#awayMs = { from, until: Date.now() };
    for (const watcher of watchers) this.#after.set(watcher, await useOf(watcher));
    await controlPlane.startApiServer();
    return pods;
  }

  #talks(pod: string): boolean {
    return this.#log.connections("open").some((connection) => connection.pod === pod);
  }

  /** Each node's own is a local end, the other's a peer. */
  async #knows(watcher: NodeWatch, pods: readonly string[]): Promise<void> {
    const isKnown = (pod: string) =>
      watcher.lines().some(({ source, destination }) => source.pod === pod || destination.pod === pod);
    await this.#until(watcher, `the names of ${pods}`, () => pods.every(isKnown));
  }

  async #knowsFresh(watcher: NodeWatch): Promise<void> {
    if (watcher.place.plan !== this.#cluster.a.plan) return;
    const lines = () => watcher.lines().filter(({ source }) => source.pod === FRESH.pod);
    await this.#until(
      watcher,
      `the names of what is new`,
      () =>
        lines().some(({ destination }) => destination.service === FRESH.service) &&
        lines().some(({ destination }) => destination.pod === FRESH.hostPod),
    );
  }

  #judgeAway(watcher: NodeWatch): Check {
    const { from, until: end } = this.#awayMs;
    const talk = new Talk(this.#log);
    const isOurs = tallyNames(talk, watcher.lines(), PORTS);
    const during = watcher.lines().filter(({ time }) => time >= from && time < end);
    const steady = tallyNames(talk, during, STEADY);
    const parts = new Set(during.map(({ time }) => Math.floor((time - from) / PART_MS)));
    const wrong = [isOurs.source, isOurs.destination].filter((tally) => tally.wrong > 0);
    const missing = [steady.source, steady.destination].flatMap(({ examples }) => examples);
    const [before, after] = [this.#before.get(watcher), this.#after.get(watcher)];
    const grown = (after?.ownKb ?? 0) - (before?.ownKb ?? 0);
    const opened = (after?.files ?? 0) - (before?.files ?? 0);
    const shown = `${during.length} events, ${steady.source.right} with the names from before, ${grown} KB and ${opened} files more`;
    const problems = [
      ...(parts.size < Math.floor((end - from) / PART_MS) ? [`events in ${[...parts]} only`] : []),
      ...(steady.source.right === 0 ? ["none with a name"] : []),
      ...wrong.map(({ end: which, examples }) => `wrong ${which}: ${examples.slice(0, 5).join("; ")}`),
      ...(missing.length > 0 ? [`names lost: ${missing.slice(0, 5).join("; ")}`] : []),
      ...(grown > MOST_GROWN_KB ? [`grown by ${grown} KB`] : []),
      ...(opened > MOST_OPENED ? [`${opened} files more`] : []),
      ...(watcher.messages().includes("Cannot reach the API server") ? [] : ["nothing said of it"]),
    ];
    const problem = problems.length === 0 ? undefined : `${problems.join(", ")}: ${lastWords(watcher)}`;
    return { subject: "the API server away for a minute", column: watcher.place.rung, problem, shown };
  }

  #until(watcher: NodeWatch, what: string, isSo: () => boolean): Promise<boolean> {
    return until(what, isSo, { timeoutMs: SLOW_MS, everyMs: 500 }).catch((error: unknown) => {
      const { name } = watcher.place.plan;
      throw new Error(`Cannot wait longer for ${what} on ${name}: ${lastWords(watcher)}`, { cause: error });
    });
  }
}

async function useOf({ place, pid }: NodeWatch): Promise<Use> {
  const script = 'ls "/proc/$0/fd" | wc -l; grep RssAnon "/proc/$0/status"';
  const text = await place.runner.exec(["sh", "-c", script, String(pid)]);
  const [files = 0, ownKb = 0] = (text.match(/\d+/g) ?? []).map(Number);
  return { ownKb, files };
}

function lastWords(watcher: NodeWatch): string {
  return watcher.messages().trimEnd().split("\n").slice(-12).join("\n");
}
