import type { AgentParts } from "./agent-parts.ts";
import { exportModels } from "./export-models.ts";

/** Says on one screen what runs, where, and how to point it at a Collector and a cluster. */
export function welcome(parts: AgentParts, hostname: string): void {
  const { log, version, config, names, server } = parts;
  const url = server?.url;
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
    return;
  }
  log.info(`Names are those of node ${names.nodeName ?? "(not known)"}, scope ${config.kubernetes.scope}`);
  const warning = nodeNameWarning({ given: config.kubernetes.nodeName, found: names.nodeName, hostname });
  if (warning !== undefined) log.warn(warning);
}

/** Metrics begin before a node's name is found, and carry the host's until it is given. */
export function nodeNameWarning({
  given,
  found,
  hostname,
}: {
  readonly given: string | undefined;
  readonly found: string | undefined;
  readonly hostname: string;
}): string | undefined {
  if (given !== undefined || found === undefined || found === hostname) return undefined;
  return `Metrics call this node ${hostname}, since its name in Kubernetes was not given: give --node-name ${found}`;
}
