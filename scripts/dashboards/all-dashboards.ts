import { AGENT_DASHBOARD } from "./agent.ts";
import { NODE_DASHBOARD } from "./node.ts";
import { OVERVIEW } from "./overview.ts";
import type { DashboardSource } from "./panel-source.ts";
import { WORKLOAD_DASHBOARD } from "./workload.ts";

/** Every dashboard by the name of its file. */
export const DASHBOARDS: Readonly<Record<string, DashboardSource>> = {
  "overview.json": OVERVIEW,
  "workload.json": WORKLOAD_DASHBOARD,
  "node.json": NODE_DASHBOARD,
  "agent.json": AGENT_DASHBOARD,
};
