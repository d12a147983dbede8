import type { Config } from "../config/config.ts";
import { otlpTarget } from "../export/otlp/otlp-settings.ts";
import type { ExportModel } from "../export/page-model.ts";
import { otlpSettings } from "./agent-exports.ts";
import type { AgentParts } from "./agent-parts.ts";

type Signal = ExportModel["signal"];

/** How each signal leaves the node. */
export function exportModels(parts: AgentParts): readonly ExportModel[] {
  const { config, exportWatch } = parts;
  return (["metrics", "logs", "traces"] as const).map((signal): ExportModel => {
    const { state, problem, lastSuccessUnixMs, sent, dropped, queue } = exportWatch.of(signal);
    const bounded = queue && { ...queue, maxBytes: config.queue.maxBytes };
    return {
      signal,
      to: targetOf(config, signal),
      state,
      problem,
      queue: bounded,
      sent,
      dropped,
      lastSuccessUnixMs,
    };
  });
}

function targetOf(config: Config, signal: Signal): string | undefined {
  switch (config[signal].exporter) {
    case "none":
      return undefined;
    case "console":
      return "the console";
    case "otlp": {
      const settings = otlpSettings(config.otlp[signal]);
      return `otlp/${settings.protocol} ${otlpTarget(signal, settings).shown}`;
    }
  }
}
