import type { Config, OtlpTarget } from "./config.ts";
import { hideCredentials } from "./hide-credentials.ts";
import { SIGNALS, type Signal } from "./otlp-targets.ts";
import type { Settings } from "./schema.ts";

/** What is wrong, or has no effect, only together: no single setting and no file can tell it. */
export interface WholeFaults {
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Looks at settings that must fit each other; of a signal that does not leave over OTLP only whether that is meant.
 * `origins`: of the settings that are set.
 */
export function checkWhole(
  config: Config,
  settings: Settings,
  { origins }: { readonly origins: ReadonlyMap<string, string> },
): WholeFaults {
  const problems: string[] = [];
  const warnings: string[] = [];
  for (const signal of SIGNALS) {
    if (config[signal].exporter !== "otlp") continue;
    problems.push(...targetProblems(signal, config.otlp[signal]));
    warnings.push(...targetWarnings(signal, config, settings));
  }
  const { endpoint } = settings.otlp.traces;
  if (endpoint !== undefined && !origins.has("traces.exporter")) {
    const shown = hideCredentials(endpoint);
    warnings.push(`No spans are sent to ${shown}: they are only where traces.exporter is otlp`);
  }
  for (const signal of ["logs", "traces"] as const) {
    const { queueRecords } = config[signal].batch;
    if (settings[signal].batch.maxRecords <= queueRecords) continue;
    warnings.push(`${signal}.batch.maxRecords is taken as ${queueRecords}: no more may wait`);
  }
  return { problems: [...new Set(problems)], warnings: [...new Set(warnings)] };
}

function targetProblems(signal: Signal, target: OtlpTarget): readonly string[] {
  const problems: string[] = [];
  const { endpoint, protocol, clientCertificate, clientKey } = target;
  const shown = hideCredentials(endpoint);
  const isUrl = /^https?:\/\//.test(endpoint);
  if (protocol === "http/protobuf" && !isUrl) {
    problems.push(
      `Cannot send ${signal} to ${shown} over http/protobuf: give a URL with http:// or https://`,
    );
  } else if (isUrl && !URL.canParse(endpoint)) {
    problems.push(`Cannot send ${signal} to ${shown}: it is no URL; give one such as http://collector:4317`);
  }
  if (clientCertificate !== undefined && clientKey === undefined) {
    problems.push(
      `Cannot use the client certificate ${clientCertificate} for ${signal} without its key: give otlp.clientKey too`,
    );
  }
  if (clientKey !== undefined && clientCertificate === undefined) {
    problems.push(
      `Cannot use the client key ${clientKey} for ${signal} without its certificate: give otlp.clientCertificate too`,
    );
  }
  return problems;
}

/** Certificates of all signals are not meant for a signal that has an endpoint of its own. */
function targetWarnings(signal: Signal, config: Config, { otlp }: Settings): readonly string[] {
  const { endpoint, protocol, insecure } = config.otlp[signal];
  const shown = hideCredentials(endpoint);
  const { [signal]: own } = otlp;
  const meant = own.endpoint === undefined ? { ...otlp, ...own } : own;
  const warnings: string[] = [];
  if (insecure && (meant.certificate ?? meant.clientCertificate) !== undefined) {
    warnings.push(
      `Sending ${signal} to ${shown} without TLS although certificates are given: https:// turns it on`,
    );
  }
  if (
    protocol === "grpc" &&
    /^https?:/.test(endpoint) &&
    !/^https?:\/\/[^/?]*:\d+(?=$|[/?])/.test(endpoint)
  ) {
    const port = insecure ? 80 : 443;
    warnings.push(
      `Sending ${signal} to ${shown}: gRPC takes port ${port} where none is given; receivers listen on 4317`,
    );
  }
  return warnings;
}
