import { until } from "../lab/cluster/until.ts";
import type { NamedLine } from "./named-line.ts";

/** Emulated, the first names take many times as long. */
const NAMES_MS = 300_000;
/** An event may have waited so long for its name, and have given up just before. */
const WAITED_MS = 2_500;

/** The lines of a program from when it has names: what it says before that is not judged. */
export class LinesWithNames {
  readonly #all: () => readonly NamedLine[];
  #fromMs = 0;

  constructor(all: () => readonly NamedLine[]) {
    this.#all = all;
  }

  /**
   * Waits, while events come, until one has a name that only complete lists tell: by default a pod's that only pods, nodes
   * and EndpointSlices together tell. Gives the seconds that it took from now.
   */
  async await(
    node: string,
    isNamed: (line: NamedLine) => boolean = ({ source, destination }) =>
      source.kind === "pod" && destination.method === "endpointslice",
  ): Promise<number> {
    const started = Date.now();
    const { time } = await until(`names on ${node}`, () => this.#all().find(isNamed), {
      timeoutMs: NAMES_MS,
      everyMs: 500,
    });
    this.#fromMs = time + WAITED_MS;
    return Math.max(0, (time - started) / 1000);
  }

  get lines(): readonly NamedLine[] {
    return this.#all().filter(({ time }) => time >= this.#fromMs);
  }
}
