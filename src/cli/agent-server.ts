import { type HealthServer, startHealthServer } from "../agent/health-server.ts";
import { liveness, readiness, readinessLines } from "../agent/readiness.ts";
import type { MetricSource } from "../export/metric-family.ts";
import { formatPage } from "../export/page.ts";
import { formatPrometheus } from "../export/prometheus-text.ts";
import { pageModel } from "./agent-page.ts";
import type { AgentParts } from "./agent-parts.ts";
import { agentState } from "./agent-state.ts";

/** Opens the agent's port with its four answers; throws SetupError. */
export async function serveAgent(parts: AgentParts, metrics: MetricSource): Promise<HealthServer> {
  const { host, port } = parts.config.http;
  return await startHealthServer({
    ...{ host, port },
    live: () => liveness(agentState(parts)),
    ready: () => {
      const { ok, parts: lines } = readiness(agentState(parts));
      return { ok, lines: readinessLines(lines) };
    },
    metrics: ({ openMetrics, reader }) =>
      formatPrometheus(metrics.collect(Date.now(), reader), { openMetrics }),
    page: (search) => formatPage(pageModel(parts, search)),
    answered: (path, status) => parts.httpRequests.answered(path, status),
    now: () => performance.now(),
    failed: (error) => parts.log.as("http").error("Cannot answer a request", error),
  });
}
