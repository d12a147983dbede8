import { describeLeaf, type Leaf } from "./leaf.ts";
import { SIGNALS } from "./otlp-targets.ts";

/** One setting: where it stands, how it is written, and what it may be. */
export interface Setting extends Leaf {
  /** Where it stands in the configuration and in the file: `kubernetes.scope`. */
  readonly path: string;
  /** As commander takes it: `--name <value>`, or `--name` alone for a switch. */
  readonly flag: string;
  /** Environment variable; a list is separated by commas. The flag wins. */
  readonly env: string;
  /** What it holds is never printed. */
  readonly secret: boolean;
  /** Only of interest to few: it has no line in the help. */
  readonly hidden: boolean;
}

interface Row {
  readonly path: string;
  readonly flag: string;
  readonly env?: string;
  readonly hidden?: boolean;
}

/** Keys of one signal, with what stands for a value in help. */
const OTLP_KEYS = [
  { key: "endpoint", flag: "endpoint <url>" },
  { key: "protocol", flag: "protocol <name>" },
  { key: "headers", flag: "header <name=text>", env: "HEADERS" },
  { key: "timeoutSeconds", flag: "timeout-seconds <s>" },
  { key: "compression", flag: "compression <name>" },
  { key: "insecure", flag: "insecure" },
  { key: "certificate", flag: "certificate <file>" },
  { key: "clientCertificate", flag: "client-certificate <file>" },
  { key: "clientKey", flag: "client-key <file>" },
] as const;

/** Every setting, once and in the order of the file: flags, environment, help and documents are made from it. */
export const SETTINGS: readonly Setting[] = [
  { path: "kubernetes.enabled", flag: "--kubernetes <when>" },
  { path: "kubernetes.kubeconfig", flag: "--kubeconfig <file>" },
  { path: "kubernetes.nodeName", flag: "--node-name <name>", env: "NODE_NAME" },
  { path: "kubernetes.scope", flag: "--scope <scope>" },
  { path: "kubernetes.clusterCidrs", flag: "--cluster-cidr <range>", env: "TCPRETRANS_CLUSTER_CIDRS" },
  { path: "kubernetes.serviceCidrs", flag: "--service-cidrs" },
  { path: "kubernetes.socketLevelServices", flag: "--socket-level-services" },
  { path: "kubernetes.netnsPath", flag: "--netns-path <dir>" },
  { path: "kubernetes.tombstones.seconds", flag: "--tombstone-seconds <n>" },
  { path: "kubernetes.tombstones.count", flag: "--tombstone-count <n>" },
  { path: "names.cidrs", flag: "--cidr-name <name=range>", env: "TCPRETRANS_CIDR_NAMES" },
  { path: "host.procPath", flag: "--host-proc-path <dir>" },
  { path: "host.cgroupPath", flag: "--host-cgroup-path <dir>" },
  { path: "host.tracefsPath", flag: "--host-tracefs-path <dir>" },
  { path: "capture.probe", flag: "--probe <how>" },
  { path: "capture.bufferSizeKb", flag: "--buffer-size <KiB>" },
  { path: "http.enabled", flag: "--http" },
  { path: "http.host", flag: "--http-host <address>" },
  { path: "http.port", flag: "--http-port <port>" },
  { path: "events.output", flag: "--events <how>" },
  { path: "log.level", flag: "--log-level <level>" },
  { path: "log.format", flag: "--log-format <how>" },
  { path: "metrics.exporter", flag: "--metrics-exporter <name>" },
  { path: "metrics.intervalSeconds", flag: "--metrics-interval-seconds <s>" },
  { path: "metrics.exportTimeoutSeconds", flag: "--metrics-export-timeout-seconds <s>", hidden: true },
  { path: "metrics.temporality", flag: "--metrics-temporality <name>" },
  { path: "metrics.detail", flag: "--metrics-detail <level>" },
  { path: "metrics.histograms", flag: "--metrics-histograms <kind>" },
  { path: "metrics.maxSeriesPerMetric", flag: "--metrics-max-series-per-metric <n>" },
  { path: "metrics.maxSeries", flag: "--metrics-max-series <n>" },
  { path: "metrics.idleSeconds", flag: "--metrics-idle-seconds <s>" },
  { path: "logs.exporter", flag: "--logs-exporter <name>" },
  { path: "logs.recordsPerSecond", flag: "--logs-records-per-second <n>" },
  { path: "logs.summarySeconds", flag: "--logs-summary-seconds <s>" },
  ...batchRows("logs"),
  ...limitRows("logs"),
  { path: "traces.exporter", flag: "--traces-exporter <name>" },
  { path: "traces.quietSeconds", flag: "--traces-quiet-seconds <s>" },
  { path: "traces.maxEventsPerSpan", flag: "--traces-max-events-per-span <n>" },
  { path: "traces.sampleRatio", flag: "--traces-sample-ratio <share>" },
  ...batchRows("traces"),
  ...limitRows("traces"),
  {
    path: "traces.limits.eventAttributeCount",
    flag: "--traces-limit-event-attribute-count <n>",
    hidden: true,
  },
  ...OTLP_KEYS.map((row) => otlpRow(row)),
  ...SIGNALS.flatMap((signal) => OTLP_KEYS.map((row) => otlpRow(row, signal))),
  { path: "queue.maxBytes", flag: "--queue-max-bytes <n>" },
  { path: "queue.maxRecords", flag: "--queue-max-records <n>" },
  { path: "resource.mode", flag: "--resource-mode <mode>" },
  { path: "resource.serviceName", flag: "--service-name <name>" },
  { path: "resource.clusterName", flag: "--cluster-name <name>" },
  {
    path: "resource.attributes",
    flag: "--resource-attribute <key=text>",
    env: "TCPRETRANS_RESOURCE_ATTRIBUTES",
  },
  { path: "shutdown.graceSeconds", flag: "--shutdown-grace-seconds <s>" },
  { path: "demo", flag: "--demo" },
].map(complete);

/** The settings that say how ends get their names: a trace takes them too. */
export const NAMING_SETTINGS: readonly Setting[] = SETTINGS.filter(
  ({ path }) =>
    (path.startsWith("kubernetes.") || path.startsWith("names.")) &&
    path !== "kubernetes.enabled" &&
    path !== "kubernetes.netnsPath",
);

const HOST_PATHS = ["host.procPath", "host.cgroupPath", "kubernetes.netnsPath"];

/** Where the host is to be seen: a trace takes them from the environment alone, which a container has them in. */
export const HOST_SETTINGS: readonly Setting[] = SETTINGS.filter(({ path }) => HOST_PATHS.includes(path));

/** The flag's long name. */
export function longFlag({ flag }: Pick<Setting, "flag">): string {
  return flag.replace(/ .*/, "");
}

function complete(row: Row): Setting {
  const env = row.env ?? `TCPRETRANS_${longFlag(row).slice(2).toUpperCase().replaceAll("-", "_")}`;
  const secret = row.path.startsWith("otlp.") && row.path.endsWith(".headers");
  return {
    ...describeLeaf(row.path),
    path: row.path,
    flag: row.flag,
    env,
    secret,
    hidden: row.hidden === true,
  };
}

function otlpRow(
  { key, flag, env }: { readonly key: string; readonly flag: string; readonly env?: string },
  signal?: string,
): Row {
  const path = signal === undefined ? `otlp.${key}` : `otlp.${signal}.${key}`;
  const words = signal === undefined ? "otlp" : `otlp-${signal}`;
  const row = { path, flag: `--${words}-${flag}`, hidden: signal !== undefined };
  if (env === undefined) return row;
  return { ...row, env: `TCPRETRANS_${words.toUpperCase().replaceAll("-", "_")}_${env}` };
}

function batchRows(signal: "logs" | "traces"): readonly Row[] {
  return [
    { path: `${signal}.batch.delaySeconds`, flag: `--${signal}-batch-delay-seconds <s>`, hidden: true },
    { path: `${signal}.batch.maxRecords`, flag: `--${signal}-batch-max-records <n>`, hidden: true },
    {
      path: `${signal}.batch.exportTimeoutSeconds`,
      flag: `--${signal}-batch-export-timeout-seconds <s>`,
      hidden: true,
    },
    { path: `${signal}.batch.queueRecords`, flag: `--${signal}-batch-queue-records <n>`, hidden: true },
  ];
}

function limitRows(signal: "logs" | "traces"): readonly Row[] {
  return [
    { path: `${signal}.limits.attributeCount`, flag: `--${signal}-limit-attribute-count <n>`, hidden: true },
    {
      path: `${signal}.limits.attributeLength`,
      flag: `--${signal}-limit-attribute-length <n>`,
      hidden: true,
    },
  ];
}
