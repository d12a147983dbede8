import type { PanelSource } from "./panel-source.ts";

/** Which moment and values stand for Grafana's variables. */
export interface Scope {
  /** Prometheus, without a path. */
  readonly url: string;
  /** Unix time in seconds of the end of the range. */
  readonly end: number;
  readonly rangeSeconds: number;
  /** What `$__rate_interval` is: at least four times the time between two points. */
  readonly rateInterval: string;
  /** Values of `$cluster` and the like; all that are left out are `.*`. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** A series of a query's answer; an instant query has one point. */
export interface AnsweredSeries {
  readonly labels: Readonly<Record<string, string>>;
  /** Unix times in seconds and values; those that are no number are left out. */
  readonly points: readonly (readonly [time: number, value: number])[];
}

/** A query with values in the place of variables. */
export function substitute(expr: string, { rangeSeconds, rateInterval, variables = {} }: Scope): string {
  return expr
    .replaceAll("$__rate_interval", rateInterval)
    .replaceAll("$__range", `${rangeSeconds}s`)
    .replaceAll(/\$([a-z]+)/g, (_, name: string) => variables[name] ?? ".*");
}

/** Lines and numbers over time are asked for a range, all else for now, as Grafana does. */
export function isOverTime({ kind }: PanelSource): boolean {
  return kind === "series" || kind === "stat";
}

/** Asks as the panel does; series without any number are left out. */
export async function askPanel(
  panel: PanelSource,
  scope: Scope,
): Promise<readonly (readonly AnsweredSeries[])[]> {
  return Promise.all(
    panel.queries.map(({ expr }) =>
      isOverTime(panel) ? askRange(substitute(expr, scope), scope) : askNow(substitute(expr, scope), scope),
    ),
  );
}

/** An instant query at the end of the range. */
export async function askNow(query: string, { url, end }: Scope): Promise<readonly AnsweredSeries[]> {
  return ask(`${url}/api/v1/query`, { query, time: String(end) });
}

const POINTS = 120;

async function askRange(
  query: string,
  { url, end, rangeSeconds }: Scope,
): Promise<readonly AnsweredSeries[]> {
  const step = Math.max(15, Math.round(rangeSeconds / POINTS));
  return ask(`${url}/api/v1/query_range`, {
    query,
    start: String(end - rangeSeconds),
    end: String(end),
    step: String(step),
  });
}

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data?: { readonly result: readonly RawSeries[] };
}

interface RawSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [number, string];
  readonly values?: readonly (readonly [number, string])[];
}

async function ask(url: string, form: Readonly<Record<string, string>>): Promise<readonly AnsweredSeries[]> {
  const response = await fetch(url, { method: "POST", body: new URLSearchParams(form) });
  const { status, error, data } = (await response.json()) as Answer;
  if (status !== "success" || data === undefined)
    throw new Error(`Cannot query Prometheus: ${error ?? response.status} in ${form["query"]}`);
  return data.result
    .map(({ metric, value, values }) => ({
      labels: metric,
      points: (values ?? (value === undefined ? [] : [value]))
        .map(([time, text]) => [time, Number(text)] as const)
        .filter(([, number]) => Number.isFinite(number)),
    }))
    .filter(({ points }) => points.length > 0);
}
