import type { HealthSources } from "../agent/health-answers.ts";
import { ATTRIBUTES as A } from "../export/attributes.ts";
import type { SelfReading } from "../export/self-metrics.ts";

/** Counts what the agent's port has answered with its own pages, by path and status. */
export class HttpRequests {
  readonly #counts = new Map<string, { readonly attributes: SelfReading["attributes"]; value: number }>();

  /** The same sources, counted. */
  counted(sources: HealthSources): HealthSources {
    const { live, ready, metrics, page } = sources;
    const ofHealth = (route: string, ask: HealthSources["live"]) => () => {
      const health = ask();
      this.#count(route, health.ok ? 200 : 503);
      return health;
    };
    return {
      live: ofHealth("/livez", live),
      ready: ofHealth("/readyz", ready),
      metrics: (ask) => {
        this.#count("/metrics", 200);
        return metrics(ask);
      },
      page: (search) => {
        this.#count("/", 200);
        return page(search);
      },
    };
  }

  readings(): readonly SelfReading[] {
    return [...this.#counts.values()];
  }

  #count(route: string, status: number): void {
    const key = `${route} ${status}`;
    const known = this.#counts.get(key);
    if (known !== undefined) known.value++;
    else this.#counts.set(key, { attributes: { [A.httpRoute]: route, [A.httpStatus]: status }, value: 1 });
  }
}
