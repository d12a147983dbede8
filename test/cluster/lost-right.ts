import type { Cluster } from "../lab/cluster/cluster.ts";
import {
  giveRightBack,
  RESOURCES,
  type Resource,
  takeRight,
  userWithout,
} from "../lab/cluster/product-rights.ts";
import { until } from "../lab/cluster/until.ts";
import type { NamedLine } from "./named-line.ts";
import { FRESH, FRESH_LABELS, PORTS, STEADY } from "./outage-pods.ts";
import type { Check } from "./report.ts";
import { Talk, tallyNames } from "./talk.ts";
import type { TrafficLog } from "./traffic-log.ts";
import { Watcher } from "./watcher.ts";

/** Emulated pods start late, and a refused watch is tried again with growing pauses. */
const SLOW_MS = 300_000;
const FEWEST_LINES = 3;

/** Where a right is missed. */
interface Loss {
  readonly label: string;
  /** Whether a line of that connection says what it can and no more. */
  readonly isLess: (line: NamedLine) => boolean;
  /** Whether it says all again. */
  readonly isWhole: (line: NamedLine) => boolean;
}

const LOSSES: Readonly<Record<Resource, Loss>> = {
  pods: {
    label: FRESH_LABELS.service,
    isLess: ({ source }) => source.kind === "unknown",
    isWhole: ({ source }) => source.pod === FRESH.pod,
  },
  services: {
    label: FRESH_LABELS.service,
    isLess: ({ source, destination: { service } }) => source.pod === FRESH.pod && service === undefined,
    isWhole: ({ destination }) => destination.service === FRESH.service,
  },
  endpointslices: {
    label: FRESH_LABELS.host,
    isLess: ({ source, destination: { kind } }) => source.pod === FRESH.pod && kind === "node",
    isWhole: ({ destination }) => destination.pod === FRESH.hostPod,
  },
};

/** A tcpretrans on node-a whose user loses one right while events flow, and gets it back. */
export class LostRight {
  readonly resource: Resource;
  readonly watcher: Watcher;
  readonly #cluster: Cluster;
  readonly #log: TrafficLog;
  /** Since when the loss must show, and until when, in Unix ms. */
  #sinceMs = Number.POSITIVE_INFINITY;
  #untilMs = Number.POSITIVE_INFINITY;

  private constructor(
    resource: Resource,
    watcher: Watcher,
    { cluster, log }: { readonly cluster: Cluster; readonly log: TrafficLog },
  ) {
    this.resource = resource;
    this.watcher = watcher;
    this.#cluster = cluster;
    this.#log = log;
  }

  /** One for each right. */
  static startAll(cluster: Cluster, log: TrafficLog): Promise<readonly LostRight[]> {
    const starting = RESOURCES.map(async (resource) => {
      const user = userWithout(resource);
      const watcher = await Watcher.start(cluster, cluster.a, { name: user, user });
      return new LostRight(resource, watcher, { cluster, log });
    });
    return Promise.all(starting);
  }

  async take(): Promise<void> {
    await takeRight(this.#cluster.api, this.resource);
  }

  /** Waits until it says what it lacks. */
  async isSaid(): Promise<void> {
    await this.#until("to be said", () => this.watcher.messages().includes(this.#sentence));
  }

  /** Waits for events without what it lacks, gives the right back, and waits until all is there again. */
  async recover(): Promise<void> {
    const { isWhole } = LOSSES[this.resource];
    this.#sinceMs = Date.now();
    await this.#until("to show", () => this.#during.length >= FEWEST_LINES);
    this.#untilMs = Date.now();
    // The API server may be away just now.
    await until("a right given back", () => giveRightBack(this.#cluster.api, this.resource));
    await this.#until("to be over", () =>
      this.#lines.some((line) => line.time >= this.#untilMs && isWhole(line)),
    );
    await this.#until("to be called over", () => this.#countSaid("Over after ") > 0);
  }

  /** When all have ended. */
  check(): Check {
    const { isLess } = LOSSES[this.resource];
    const inStretch = ({ time }: NamedLine) => time >= this.#sinceMs && time < this.#untilMs;
    const talk = new Talk(this.#log);
    const all = this.watcher.lines();
    const whole = tallyNames(talk, all, PORTS);
    const steady = tallyNames(talk, all.filter(inStretch), STEADY);
    const tallies = [whole.source, whole.destination, steady.source, steady.destination];
    const wrong = tallies.flatMap((tally) => (tally.wrong > 0 ? tally.examples : []));
    const missing = [steady.source, steady.destination].flatMap(({ examples }) => examples);
    const more = this.#during.filter((line) => !isLess(line));
    const said = this.#countSaid("");
    const shown = `${this.#during.length} events without it, ${steady.source.right} others with all names`;
    const problems = [
      ...(said === 1 ? [] : [`said ${said} times`]),
      ...(wrong.length > 0 ? [`wrong: ${wrong.slice(0, 5).join("; ")}`] : []),
      ...(missing.length > 0 ? [`missing beside it: ${missing.slice(0, 5).join("; ")}`] : []),
      ...(steady.source.right === 0 ? ["no other events"] : []),
      ...(more.length > 0 ? [`${more.length} say more, such as ${JSON.stringify(more[0])}`] : []),
    ];
    const problem = problems.length === 0 ? undefined : `${problems.join(", ")}: ${this.watcher.messages()}`;
    return { subject: `no right to ${this.resource}`, column: this.watcher.place.rung, problem, shown };
  }

  /** Of the connection on which the loss shows. */
  get #lines(): readonly NamedLine[] {
    const { label } = LOSSES[this.resource];
    const own = this.#log.connections("open").filter((connection) => connection.label === label);
    const ends = new Set(own.map(({ local, peer }) => `${local} ${peer}`));
    return this.watcher.allLines().filter(({ local, peer }) => ends.has(`${local} ${peer}`));
  }

  get #during(): readonly NamedLine[] {
    return this.#lines.filter(({ time }) => time >= this.#sinceMs && time < this.#untilMs);
  }

  get #sentence(): string {
    const { resource } = this;
    const full = resource === "endpointslices" ? `${resource}.discovery.k8s.io` : resource;
    return `Cannot watch ${resource}: grant "list" and "watch" on ${full} to ${userWithout(resource)}`;
  }

  #countSaid(head: string): number {
    const lines = this.watcher.messages().split("\n");
    return (
      lines.filter((line) => line.startsWith(head) && line.endsWith(this.#sentence)).length -
      (head === "" ? this.#countSaid("Over after ") : 0)
    );
  }

  #until(what: string, isSo: () => boolean): Promise<boolean> {
    const whole = `the lost right to ${this.resource} ${what}`;
    return until(whole, isSo, { timeoutMs: SLOW_MS, everyMs: 500 }).catch((error: unknown) => {
      throw new Error(`Cannot see ${whole}: ${this.watcher.messages()}`, { cause: error });
    });
  }
}
