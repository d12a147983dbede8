/**
 * Counts enriched events in memory as metrics, without decoding, naming or exporting: prints one JSON object. In a
 * process of its own with the product's flags.
 */
import type { EnrichedEvent } from "../../src/event/end-name.ts";
import { RetransmitMetrics } from "../../src/export/retransmit-metrics.ts";
import { anEvent } from "../export/an-event.ts";
import { nodeOfPods } from "./a-node-of-pods.ts";

const EVENTS = 1_000_000;
const BATCH = 500;
const CONNECTIONS = [100, 1_000, 10_000] as const;

console.log(
  JSON.stringify(Object.fromEntries(CONNECTIONS.map((connections) => [connections, cost(connections)]))),
);

/** Microseconds of CPU an event, the median of five rounds, the first of which compiles. */
function cost(connections: number): number {
  const batches = someBatches(connections);
  const metrics = new RetransmitMetrics({
    detail: "pod",
    place: { node: "node-0", cluster: "bench" },
    now: () => 0,
  });
  const rounds = Array.from({ length: 6 }, () => {
    const before = process.cpuUsage();
    for (let done = 0; done < EVENTS; done += BATCH)
      metrics.consume(batches[(done / BATCH) % batches.length] ?? []);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / EVENTS;
  });
  return rounds.slice(1).sort((a, b) => a - b)[2] ?? Number.NaN;
}

function someBatches(connections: number): readonly (readonly EnrichedEvent[])[] {
  const { connection, cause } = nodeOfPods(0, { nodes: 1000 });
  const all = Array.from({ length: connections }, connection);
  return Array.from({ length: 100 }, (_, batch) =>
    Array.from({ length: BATCH }, (_, i) => {
      const which = (batch * BATCH + i * 7919) % connections;
      const socket = { localPort: 32_768 + (which % 28_000), peerPort: 8080, rto: 0.204 };
      return { event: anEvent({ cause: cause(), segments: 1, socket }), ends: all[which] };
    }),
  );
}
