import { decodeMetrics } from "./otlp-metrics.ts";
import type { ReceivedRequest } from "./otlp-receiver.ts";

/** Retransmitted segments by the last metrics that each pod's agent has sent, all together. */
export function segmentsReceived(requests: readonly ReceivedRequest[]): number {
  const last = new Map<unknown, number>();
  for (const { path, body } of requests) {
    if (path !== "/v1/metrics") continue;
    for (const { resource, scopes } of decodeMetrics(body)) {
      const points = scopes
        .flatMap(({ metrics }) => metrics)
        .filter(({ name }) => name === "tcp.retransmit.segments")
        .flatMap((metric) => metric.points);
      last.set(
        resource["k8s.pod.name"],
        points.reduce((sum, { int = 0n }) => sum + Number(int), 0),
      );
    }
  }
  return [...last.values()].reduce((sum, segments) => sum + segments, 0);
}
