import type { ApiClient } from "./api-client.ts";
import type { ApiProblem, ProblemKind } from "./api-problem.ts";
import type { Clock } from "./clock.ts";
import type { ProblemLog } from "./problem-log.ts";

const BACKOFF = { baseMs: 500, capMs: 30_000 };
/** Only a person's doing ends a refusal, but for that of an API server that has just started and knows no roles yet. */
const DENIED_BACKOFF = { baseMs: 2_000, capMs: 300_000 };
/** What a healthy cluster does now and then, when a server restarts: said only when a second try meets it too. */
const PASSING: readonly ProblemKind[] = ["broken-off", "silent", "throttled", "failing", "unauthorized"];

export interface RecoveryOptions {
  readonly resource: string;
  readonly client: ApiClient;
  readonly problems: ProblemLog;
  readonly clock: Clock;
}

/** What follows a failed try: what is said, whether credentials are renewed, and how long the next try waits. */
export class Recovery {
  readonly #options: RecoveryOptions;
  #failures = 0;
  /** Of these, the last ones that were refusals: an API server that comes back after a while refuses at first. */
  #refusals = 0;
  #hasWorked = false;

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  /** Tries that failed since the last one that did not. */
  get failures(): number {
    return this.#failures;
  }

  /** Gives the wait before the next try, in ms: exponential backoff with full jitter, never less than the server asks. */
  async afterFailure(problem: ApiProblem): Promise<number> {
    const { client, clock, problems, resource } = this.#options;
    const { kind, sentence, retryAfterMs = 0 } = problem;
    this.#failures++;
    this.#refusals = kind === "forbidden" ? this.#refusals + 1 : 0;
    const mayPass =
      (PASSING.includes(kind) && this.#failures === 1) || (this.#refusals === 1 && this.#hasWorked);
    if (!mayPass) problems.failed(resource, sentence);
    if (kind === "unauthorized") {
      const broken = await client.renew();
      if (broken !== undefined) problems.failed(resource, broken.sentence);
      if (this.#failures === 1) return 0;
    }
    const { baseMs, capMs } = kind === "forbidden" ? DENIED_BACKOFF : BACKOFF;
    const tries = kind === "forbidden" ? this.#refusals : this.#failures;
    const ceilingMs = Math.min(capMs, baseMs * 2 ** Math.min(tries - 1, 16));
    if (kind === "forbidden") return ceilingMs * (0.5 + clock.random() / 2);
    return retryAfterMs + clock.random() * ceilingMs;
  }

  /** The resource is there. */
  worked(): void {
    this.#failures = 0;
    this.#refusals = 0;
    this.#hasWorked = true;
    this.#options.problems.worked(this.#options.resource);
  }
}
