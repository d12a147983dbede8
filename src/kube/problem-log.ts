import type { Clock } from "./clock.ts";

/** Distinct sentences that are remembered of one outage. */
const MAX_SENTENCES = 16;

interface Outage {
  readonly said: Set<string>;
  readonly sinceMs: number;
  tries: number;
  last: string;
}

export interface ProblemLogOptions {
  /** Takes one line for people. */
  readonly say: (line: string) => void;
  readonly clock: Clock;
}

/** Says each distinct problem once, whichever resources meet it and however often, and once when it is over. */
export class ProblemLog {
  readonly #say: (line: string) => void;
  readonly #clock: Clock;
  readonly #outages = new Map<string, Outage>();

  constructor({ say, clock }: ProblemLogOptions) {
    this.#say = say;
    this.#clock = clock;
  }

  /** A try for a resource failed. */
  failed(resource: string, sentence: string): void {
    const isNew = !this.#isSaid(sentence);
    const outage = this.#outages.get(resource) ?? {
      said: new Set<string>(),
      sinceMs: this.#clock.monotonicMs(),
      tries: 0,
      last: sentence,
    };
    this.#outages.set(resource, outage);
    outage.tries++;
    outage.last = sentence;
    if (outage.said.size >= MAX_SENTENCES) return;
    outage.said.add(sentence);
    if (isNew) this.#say(sentence);
  }

  /** A resource is there again. */
  worked(resource: string): void {
    const outage = this.#outages.get(resource);
    if (outage === undefined) return;
    this.#outages.delete(resource);
    if (this.#isSaid(outage.last)) return;
    const seconds = Math.round((this.#clock.monotonicMs() - outage.sinceMs) / 1000);
    this.#say(`Over after ${seconds} s and ${outage.tries} tries: ${outage.last}`);
  }

  /** What the last try for a resource met; undefined where it went well. */
  of(resource: string): string | undefined {
    return this.#outages.get(resource)?.last;
  }

  #isSaid(sentence: string): boolean {
    return [...this.#outages.values()].some(({ said }) => said.has(sentence));
  }
}
