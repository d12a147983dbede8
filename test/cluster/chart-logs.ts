import type { Received } from "../export/otlp/decode-otlp.ts";
import type { ChartAgent } from "./chart-agent.ts";
import type { ChartTelemetry } from "./chart-telemetry.ts";
import type { Check } from "./report.ts";
import { CALLS, SHOP } from "./shop.ts";

/** Log records at the Collector's sink that name both ends of a call through a Service, as the caller's node sees it and as the callee's does. */
export function judgeNames(agent: ChartAgent, { sink }: Pick<ChartTelemetry, "sink">): readonly Check[] {
  const { plan, rung } = agent.place;
  const own = sink.logs.filter(({ resource }) => resource["host.name"] === plan.name);
  return CALLS.flatMap(({ caller, callee, from, to }) => {
    const named = (source: string, destination: string, service?: string) =>
      own.filter((record) => hasNames(record, { source, destination, service }));
    const found = [
      ...(from === plan
        ? [[`${caller} to ${callee} by its Service`, named(caller, callee, callee)] as const]
        : []),
      ...(to === plan ? [[`${callee} back to ${caller}`, named(callee, caller)] as const] : []),
    ];
    return found.map(([way, records]): Check => {
      const problem = records.length > 0 ? undefined : `none of ${own.length} records`;
      const subject = `log records name both ends: ${way}`;
      return { subject, column: rung, problem, shown: `${records.length} records` };
    });
  });
}

function hasNames(
  { attributes }: Received,
  names: { readonly source: string; readonly destination: string; readonly service: string | undefined },
): boolean {
  const end = (side: "source" | "destination") =>
    attributes[`${side}.k8s.namespace.name`] === SHOP &&
    attributes[`${side}.k8s.workload.kind`] === "Deployment" &&
    attributes[`${side}.k8s.workload.name`] === names[side] &&
    String(attributes[`${side}.k8s.pod.name`]).startsWith(`${names[side]}-`);
  return end("source") && end("destination") && attributes["destination.k8s.service.name"] === names.service;
}
