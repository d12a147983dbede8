import type { AgentParts } from "./agent-parts.ts";
import { exportModels } from "./export-models.ts";

/** Says on one screen what runs, where, and how to point it at a Collector and a cluster. */
export function welcome(parts: AgentParts, url: string | undefined): void {
  const { log, version, config, names } = parts;
  log.info(`tcpretrans ${version} runs on this node; Ctrl-C ends it and leaves nothing behind`);
  if (url !== undefined) {
    log.info(`The page is at ${url}, metrics at ${url}metrics, health at ${url}readyz and ${url}livez`);
  }
  for (const { signal, to } of exportModels(parts))
    if (to !== undefined) log.info(`Exports ${signal} to ${to}`);
  if (exportModels(parts).every(({ to }) => to === undefined)) {
    log.info("Nothing is exported: --otlp-endpoint http://collector:4317 sends logs and metrics there");
  }
  if (names === undefined) {
    log.info("Ends have no names: --kubeconfig FILE names pods, services and nodes");
  } else
    log.info(`Names are those of node ${names.nodeName ?? "(not known)"}, scope ${config.kubernetes.scope}`);
}
