import type { Received } from "../export/otlp/decode-otlp.ts";
import { differentSpans } from "../lab/telemetry/printed-spans.ts";
import type { JudgedAgent } from "./agent-node.ts";
import type { AgentTelemetry } from "./agent-telemetry.ts";
import type { Check } from "./report.ts";

const SUMMARY = "tcp.retransmit.summary";
/** Logs and traces. Metrics are states: one that comes twice is the same. */
const SIGNALS = 2;

/**
 * Holds the log records that arrived from a node against the events that its agent printed: each has one record that says
 * the same, or is in one summary: none is missing, none is there twice. The agent must have ended.
 */
export function judgeLogs(agent: JudgedAgent, { sink }: Pick<AgentTelemetry, "sink">): readonly Check[] {
  const { plan, rung } = agent.place;
  const own = sink.logs.filter(({ resource }) => resource["host.name"] === plan.name);
  const records = own.filter(({ name }) => name !== SUMMARY);
  const summaries = own.filter(({ name }) => name === SUMMARY);
  const summarised = summaries.reduce(
    (sum, { attributes }) => sum + Number(attributes["tcp.retransmit.events"]),
    0,
  );
  const events = agent.events();
  const missing = new Map<string, number>();
  const add = (key: string, count: number) => missing.set(key, (missing.get(key) ?? 0) + count);
  for (const event of events) add(keyOf(String(event["event.name"]), event), 1);
  for (const { name, attributes } of records) add(keyOf(name, attributes), -1);
  const strange = [...missing].filter(([, count]) => count < 0);
  const left = [...missing.values()].reduce((sum, count) => sum + Math.max(0, count), 0);
  const shown = `${records.length} records, ${summarised} events in ${summaries.length} summaries`;
  const problems = [
    ...(events.length === 0 ? ["there were no events"] : []),
    ...(left === summarised ? [] : [`${left} events have no record, summaries stand for ${summarised}`]),
    ...strange.slice(0, 3).map(([key, count]) => `${-count} more of ${key}`),
  ];
  return [
    {
      subject: "log records and summaries at the Collector's sink are the events",
      column: rung,
      problem: problems.join("; ") || undefined,
      shown,
    },
  ];
}

/** The agent that may make few records has summed up the rest. */
export function judgeSummed({ place }: JudgedAgent, { sink }: Pick<AgentTelemetry, "sink">): Check {
  const { plan, rung } = place;
  const summaries = sink.logs.filter(
    ({ name, resource }) => name === SUMMARY && resource["host.name"] === plan.name,
  );
  const problem = summaries.length === 0 ? "there is no summary" : undefined;
  return { subject: "events beyond the budget are summed up", column: rung, problem };
}

/**
 * A Collector that ends, by SIGTERM or SIGKILL, may have forwarded a request and not have answered it: the agent sends
 * that one again, whole. It has one at a time under way for each signal, so that no more can come twice.
 */
export function judgeRepeats({ sink, outages }: AgentTelemetry, agents: number): Check {
  const most = outages * agents * SIGNALS;
  const shown = `${sink.repeats} in ${outages} outages`;
  const problem = sink.repeats <= most ? undefined : `${shown}, ${most} can be`;
  return {
    subject: "requests that come twice are those under way when the Collector ended",
    column: "",
    problem,
    shown,
  };
}

/** Spans arrive, and the log records of an episode name its span. */
export function judgeSpans(agent: JudgedAgent, { sink }: Pick<AgentTelemetry, "sink">): readonly Check[] {
  const { plan, rung } = agent.place;
  const of = (received: readonly Received[]) =>
    received.filter(({ resource }) => resource["host.name"] === plan.name);
  const spans = of(sink.spans);
  const named = new Set(of(sink.logs).map(({ traceId, spanId }) => `${traceId} ${spanId}`));
  const told = spans.filter(({ traceId, spanId }) => named.has(`${traceId} ${spanId}`));
  const withPod = spans.filter(({ attributes }) => attributes["source.k8s.pod.name"] !== undefined);
  const shown = `${spans.length} spans, ${told.length} named by log records`;
  // A record that is in a pod's summary names none.
  const isRight = spans.length > 0 && told.length > spans.length / 2 && withPod.length > 0;
  return [
    { subject: "spans arrive", column: rung, problem: isRight ? undefined : shown, shown },
    ...(rung === "kprobe" && told.length < spans.length
      ? [{ subject: "each span has log records", column: rung, problem: shown }]
      : []),
  ];
}

/** What arrived is what the Collector itself has read, by its debug exporter. */
export async function judgePrintedSpans(telemetry: AgentTelemetry): Promise<Check> {
  const printed = await telemetry.printedSpans();
  const problems = printed.length === 0 ? ["none is printed"] : differentSpans(printed, telemetry.sink.spans);
  return {
    subject: "spans in the Collector's own words are those that arrive",
    column: "",
    problem: problems.slice(0, 5).join("; ") || undefined,
    shown: `${new Set(printed.map(({ ids }) => ids)).size} spans`,
  };
}

/** All that is text or a port: numbers are written in two ways. */
function keyOf(name: string, attributes: Readonly<Record<string, unknown>>): string {
  const texts = Object.entries(attributes).filter(
    ([key, value]) =>
      (typeof value === "string" || key.endsWith(".port")) && key !== "timestamp" && key !== "event.name",
  );
  return `${name} ${texts
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(" ")}`;
}
