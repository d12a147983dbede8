import { readiness } from "../agent/readiness.ts";
import type { CoverageModel, PageModel } from "../export/page-model.ts";
import { refreshSeconds } from "../export/page-refresh.ts";
import type { AgentParts } from "./agent-parts.ts";
import { agentState } from "./agent-state.ts";
import { estimateOf } from "./estimate-of.ts";
import { exportModels } from "./export-models.ts";
import { formatSight } from "./format-sight.ts";

/** All that the page shows at this moment; `search` is the query of its address. */
export function pageModel(parts: AgentParts, search: string): PageModel {
  const { version, config, startedUnixMs, capturing, recent } = parts;
  const { ok, parts: health } = readiness(agentState(parts));
  const unixNanos = capturing?.live.unixNanos;
  return {
    ...{ version, startedUnixMs },
    node: parts.names?.nodeName ?? config.kubernetes.nodeName,
    cluster: config.resource.clusterName,
    nowUnixMs: Date.now(),
    refreshSeconds: refreshSeconds(search),
    ready: ok,
    capture: { rung: capturing?.session.capture.installed.rung, blind: blindOf(parts) },
    coverage: coverageModel(parts),
    parts: health,
    activity: recent.view((time) => (unixNanos === undefined ? 0 : Number(unixNanos(time) / 1000n) / 1000)),
    exports: exportModels(parts),
  };
}

/** What `tcpretrans doctor` says that this rung does not tell here. */
function blindOf({ capturing }: AgentParts): readonly string[] {
  if (capturing === undefined) return [];
  const rows = formatSight(capturing.session.capture.installed.rung, capturing.tells);
  return rows.filter(([head]) => head.trim() === "no").map(([, text]) => text);
}

function coverageModel({ counters, capturing }: AgentParts): CoverageModel | undefined {
  const totals = counters?.coverage?.totals;
  if (totals === undefined || capturing === undefined) return undefined;
  const { overrun, faults, probeMisses, gaps } = capturing.losses();
  const { segments, lossProbes, namespacesLeftOut, segmentsLeftOut } = totals;
  return {
    ...{ segments, lossProbes },
    estimate: estimateOf(capturing.tells),
    lost: [
      { what: "records overwritten in the ring buffer", count: overrun },
      { what: "records that made no sense", count: faults },
      { what: "probe hits that the kernel left out", count: probeMisses },
      { what: "times that another program had switched probes off", count: gaps },
      { what: "network namespaces gone before their counters were read", count: namespacesLeftOut },
      { what: "segments seen in those", count: segmentsLeftOut },
    ],
  };
}
