import { ATTRIBUTES as A } from "../export/attributes.ts";
import type { SelfReading } from "../export/self-metrics.ts";

/** What is there; other paths are whatever somebody has typed. */
const ROUTES: ReadonlySet<string> = new Set(["/", "/metrics", "/livez", "/readyz"]);

/** Counts what the agent's port has answered, by path and status; a path that is not there has no route. */
export class HttpRequests {
  readonly #counts = new Map<string, { readonly attributes: SelfReading["attributes"]; value: number }>();

  answered(path: string, status: number): void {
    const route = ROUTES.has(path) ? path : undefined;
    const key = `${route} ${status}`;
    const known = this.#counts.get(key);
    if (known !== undefined) {
      known.value++;
      return;
    }
    const attributes = { ...(route && { [A.httpRoute]: route }), [A.httpStatus]: status };
    this.#counts.set(key, { attributes, value: 1 });
  }

  readings(): readonly SelfReading[] {
    return [...this.#counts.values()];
  }
}
