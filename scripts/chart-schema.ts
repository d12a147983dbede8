import { chartValueTexts, describeValues } from "./chart-value-texts.ts";
import { configJsonSchema } from "./config-json-schema.ts";

/** One value of the chart as JSON Schema. */
type Schema = Readonly<Record<string, unknown>>;

/** What a map's keys are is for Kubernetes to say. */
const OPEN: Schema = { type: "object" };
const TEXT: Schema = { type: "string" };
const FLAG: Schema = { type: "boolean" };
const TEXTS: Schema = { type: "object", additionalProperties: { type: "string" } };
const OBJECTS: Schema = { type: "array", items: OPEN };
/** Of Prometheus: https://prometheus.io/docs, <duration>. */
const DURATION: Schema = { type: "string", pattern: "^([0-9]+(ms|s|m|h|d))+$" };
const PATH: Schema = { type: "string", pattern: "^/" };
const SECRET_KEY: Schema = { type: "string", pattern: "^[-._a-zA-Z0-9]*$" };
const CAPABILITY: Schema = { type: "string", pattern: "^[A-Z][A-Z_]+$" };
const PULL_POLICY: Schema = { enum: ["Always", "IfNotPresent", "Never"] };
const PORT = "(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})";

/** The schema of the chart's values. `config` is what the agent itself takes of a file. */
export function chartSchema(): Schema {
  const { $schema, title: _, ...config } = configJsonSchema();
  return {
    $schema,
    title: "Values of the chart tcpretrans",
    ...keys({
      ...NAMES,
      ...IMAGE,
      config,
      collector: COLLECTOR,
      ...SECURITY,
      ...PLACE,
      ...POD,
      docsUrl: { type: "string", pattern: "^(|https?://[^\\s/?#]+[^\\s?#]*)$" },
      ...OBJECTS_BESIDE,
      cleanup: keys({ enabled: FLAG, timeoutSeconds: whole(1, 3600) }),
      demo: keys({ enabled: FLAG, collector: demoPart(), prometheus: demoPart() }),
      extraManifests: { type: "array", items: { type: ["object", "string"] } },
      // Helm gives it to a chart inside another chart.
      global: OPEN,
    }),
  };
}

/** As the file is published: with what values.yaml says of each value. */
export function formatChartSchema(valuesYaml: string): string {
  return `${JSON.stringify(describeValues(chartSchema(), chartValueTexts(valuesYaml)), null, 2)}\n`;
}

const NAMES = { nameOverride: TEXT, fullnameOverride: TEXT, commonLabels: TEXTS, commonAnnotations: TEXTS };

const IMAGE = {
  image: keys({
    repository: { type: "string", minLength: 1 },
    tag: TEXT,
    digest: { type: "string", pattern: "^(sha256:[0-9a-f]{64})?$" },
    pullPolicy: PULL_POLICY,
  }),
  imagePullSecrets: OBJECTS,
};

const COLLECTOR = keys({
  // The agent checks the rest once Kubernetes has put the node's address in.
  endpoint: {
    type: "string",
    pattern: `^(|https?://[^\\s/?#@]+(:${PORT})?([/?][^\\s#]*)?|[^\\s/?#@:]+:${PORT}|unix:\\S+)$`,
  },
  protocol: { enum: ["grpc", "http/protobuf"] },
  headersSecret: keys({ name: TEXT, key: { ...SECRET_KEY, minLength: 1 } }),
  tls: keys({ secretName: TEXT, ca: SECRET_KEY, certificate: SECRET_KEY, key: SECRET_KEY }),
});

const SECURITY = {
  privileged: FLAG,
  capabilities: { type: "array", items: CAPABILITY, uniqueItems: true },
  securityContext: OPEN,
  podSecurityContext: OPEN,
  appArmorProfile: {
    ...keys({ type: { enum: ["Unconfined", "RuntimeDefault", "Localhost"] }, localhostProfile: TEXT }),
    dependencies: { localhostProfile: ["type"] },
  },
  seLinuxOptions: TEXTS,
  hostPaths: keys({
    proc: PATH,
    cgroup: PATH,
    tracefs: PATH,
    netns: { type: "string", pattern: "^(/|$)" },
    mountPropagation: { enum: ["None", "HostToContainer"] },
  }),
  hostNetwork: FLAG,
  dnsPolicy: { enum: ["", "ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"] },
};

const PLACE = {
  priorityClassName: TEXT,
  // Above it are Kubernetes' own.
  priorityClass: keys({ create: FLAG, value: whole(-1_000_000_000, 1_000_000_000) }),
  tolerations: OBJECTS,
  nodeSelector: TEXTS,
  affinity: OPEN,
};

const POD = {
  updateStrategy: keys({
    type: { enum: ["RollingUpdate", "OnDelete"] },
    rollingUpdate: {
      ...keys({ maxSurge: portion(), maxUnavailable: portion() }),
      type: ["object", "null"],
    },
  }),
  minReadySeconds: whole(0, 3600),
  revisionHistoryLimit: whole(0, 1000),
  terminationGracePeriodSeconds: { type: ["integer", "null"], minimum: 1, maximum: 7200 },
  resources: keys({ requests: quantities(), limits: quantities(), claims: OBJECTS }),
  heapPercent: whole(10, 90),
  verticalPodAutoscaler: keys({
    enabled: FLAG,
    updateMode: { enum: ["Off", "Initial", "Recreate", "InPlaceOrRecreate", "Auto"] },
    controlledResources: {
      type: "array",
      items: { enum: ["cpu", "memory"] },
      uniqueItems: true,
      minItems: 1,
    },
    minAllowed: quantities(),
    maxAllowed: quantities(),
  }),
  podLabels: TEXTS,
  podAnnotations: TEXTS,
  daemonSetLabels: TEXTS,
  extraEnv: {
    type: "array",
    items: { type: "object", required: ["name"], properties: { name: { type: "string", minLength: 1 } } },
  },
  extraEnvFrom: OBJECTS,
  extraVolumes: OBJECTS,
  extraVolumeMounts: OBJECTS,
  extraArgs: { type: "array", items: TEXT },
  startupProbe: probe(),
  livenessProbe: probe(),
  readinessProbe: probe(),
};

const OBJECTS_BESIDE = {
  serviceAccount: keys({ create: FLAG, name: TEXT, annotations: TEXTS }),
  rbac: keys({ create: FLAG, extraRules: OBJECTS }),
  service: keys({ enabled: FLAG, annotations: TEXTS }),
  serviceMonitor: monitor(),
  podMonitor: monitor(),
  prometheusRule: keys({
    enabled: FLAG,
    namespace: TEXT,
    labels: TEXTS,
    alertLabels: TEXTS,
    extraGroups: OBJECTS,
  }),
  dashboards: keys({
    enabled: FLAG,
    namespace: TEXT,
    labelKey: { type: "string", minLength: 1 },
    labelValue: TEXT,
    annotations: TEXTS,
  }),
  networkPolicy: keys({ enabled: FLAG, ingressFrom: OBJECTS, egress: OBJECTS }),
  openshift: keys({ enabled: FLAG }),
};

function keys(properties: Readonly<Record<string, unknown>>): Schema {
  return { type: "object", additionalProperties: false, properties };
}

function whole(minimum: number, maximum: number): Schema {
  return { type: "integer", minimum, maximum };
}

/** A number of pods or a share of them. */
function portion(): Schema {
  return { type: ["integer", "string"], minimum: 0, pattern: "^[0-9]{1,3}%$" };
}

/** Of Kubernetes: a number, or a text with a unit. */
function quantities(): Schema {
  const quantity = { type: ["string", "number"], pattern: "^[0-9.]+(m|k|[KMGTPE]i?)?$" };
  return { type: ["object", "null"], additionalProperties: quantity };
}

/** What is asked and where is the chart's to say. */
function probe(): Schema {
  return keys({
    initialDelaySeconds: whole(0, 3600),
    periodSeconds: whole(1, 3600),
    timeoutSeconds: whole(1, 3600),
    failureThreshold: whole(1, 1000),
    successThreshold: whole(1, 1000),
    terminationGracePeriodSeconds: whole(1, 7200),
  });
}

function monitor(): Schema {
  return keys({
    enabled: FLAG,
    namespace: TEXT,
    labels: TEXTS,
    interval: DURATION,
    scrapeTimeout: DURATION,
    relabelings: OBJECTS,
    metricRelabelings: OBJECTS,
  });
}

function demoPart(): Schema {
  return keys({
    image: { type: "string", minLength: 1 },
    pullPolicy: PULL_POLICY,
    resources: keys({ requests: quantities(), limits: quantities(), claims: OBJECTS }),
  });
}
