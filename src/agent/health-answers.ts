import { PAGE_POLICY } from "../export/page-style.ts";
import { OPEN_METRICS_TYPE, PROMETHEUS_TEXT_TYPE, wantsOpenMetrics } from "./wants-open-metrics.ts";

/** What a probe of the orchestrator is told. */
export interface Health {
  readonly ok: boolean;
  /** What is wrong or less than it could be, a line each. */
  readonly lines: readonly string[];
}

/** Who asks for metrics, and how they want them. */
export interface MetricsAsk {
  /** OpenMetrics 1.0 rather than text 0.0.4. */
  readonly openMetrics: boolean;
  /** Whoever asks: the same for each of its scrapes. */
  readonly reader: string;
}

/** What is answered from. */
export interface HealthSources {
  readonly live: () => Health;
  readonly ready: () => Health;
  readonly metrics: (ask: MetricsAsk) => string;
  /** The page for people, HTML; `search` is what follows the path, from `?` on, or empty. */
  readonly page: (search: string) => string;
}

/** A request, as far as it matters. */
export interface Ask {
  readonly method: string;
  readonly url: string;
  readonly accept: string | undefined;
  readonly reader: string;
  /** Whether something that costs may be made now. */
  readonly affords: () => boolean;
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  /** Undefined where only a head was asked for, and the body would cost. */
  readonly body: string | undefined;
  readonly policy: string;
  readonly more?: Readonly<Record<string, string>>;
}

const HTML = "text/html; charset=utf-8";

/** Chooses the answer to a request; throws what its source throws. */
export function answerTo({ method, url, accept, reader, affords }: Ask, sources: HealthSources): Answer {
  if (method !== "GET" && method !== "HEAD") return plain(405, "GET and HEAD only\n", { allow: "GET, HEAD" });
  const path = pathOf(url);
  /** A head is no look at a new series, and no reason to make a page. */
  const costly = (answer: Omit<Answer, "body" | "status">, make: () => string): Answer => {
    if (method === "HEAD") return { ...answer, status: 200, body: undefined };
    return affords() ? { ...answer, status: 200, body: make() } : BUSY;
  };
  switch (path) {
    case "/livez":
      return ofHealth(sources.live());
    case "/readyz":
      return ofHealth(sources.ready());
    case "/metrics": {
      const openMetrics = wantsOpenMetrics(accept);
      const type = openMetrics ? OPEN_METRICS_TYPE : PROMETHEUS_TEXT_TYPE;
      const more = { vary: "Accept" };
      return costly({ type, policy: NOTHING, more }, () => sources.metrics({ openMetrics, reader }));
    }
    case "/":
      return costly({ type: HTML, policy: PAGE_POLICY }, () => sources.page(url.slice(path.length)));
    default:
      return plain(404, "There are /, /metrics, /livez and /readyz\n");
  }
}

/** What is asked for, without what follows a `?`. */
export function pathOf(url: string): string {
  const query = url.indexOf("?");
  return query === -1 ? url : url.slice(0, query);
}

/** An answer in plain text. */
export function plain(status: number, body: string, more: Readonly<Record<string, string>> = {}): Answer {
  return { status, type: "text/plain; charset=utf-8", body, policy: NOTHING, more };
}

/** What is no page may load nothing, and nobody may frame it. */
const NOTHING = "default-src 'none'; frame-ancestors 'none'";
const BUSY = plain(503, "Asked too often, or answers wait to be taken: ask again later\n", {
  "retry-after": "1",
});

function ofHealth({ ok, lines }: Health): Answer {
  const body = [ok ? "ok" : "not ok", ...lines].map((line) => `${line}\n`).join("");
  return plain(ok ? 200 : 503, body);
}
