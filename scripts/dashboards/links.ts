import type { PanelLink } from "./panel-source.ts";

/** Stands for where the documents are: the chart puts its docsUrl there, or leaves the links out. */
export const DOCUMENTS_URL = "DOCS_URL";

export const UIDS = {
  overview: "tcpretrans-overview",
  workload: "tcpretrans-workload",
  node: "tcpretrans-node",
  agent: "tcpretrans-agent",
} as const;

const RANGE = "$" + "{__url_time_range}";
const KEPT = "$" + "{datasource:queryparam}&$" + "{cluster:queryparam}";

/** To the workload that a row or a series is about. */
export const TO_WORKLOAD: PanelLink = {
  title: "Workload and its pods",
  url: `/d/${UIDS.workload}?${KEPT}&var-namespace=$\{__field.labels.source_k8s_namespace_name}&var-workload=$\{__field.labels.source_k8s_workload_name}&${RANGE}`,
};

/** To the workload in a row of a table. */
export const ROW_TO_WORKLOAD: PanelLink = {
  title: "Workload and its pods",
  url: `/d/${UIDS.workload}?${KEPT}&var-namespace=$\{__data.fields.Namespace}&var-workload=$\{__data.fields.Workload}&${RANGE}`,
};

/** To the node that a series is about. */
export const TO_NODE: PanelLink = {
  title: "Node",
  url: `/d/${UIDS.node}?${KEPT}&var-node=$\{__field.labels.k8s_node_name}&${RANGE}`,
};

export function runbook(alert: string): PanelLink {
  return { title: `Runbook: ${alert}`, url: `${DOCUMENTS_URL}/runbooks/${alert}.md` };
}

/** Explore with the log records of the chosen workloads; needs a Loki that takes OTLP. */
export const TO_LOGS: PanelLink = {
  title: "Log records in Loki",
  url: `/explore?schemaVersion=1&orgId=1&panes=${encodeURIComponent(
    JSON.stringify({
      logs: {
        datasource: "LOGS",
        queries: [
          {
            refId: "A",
            expr: '{service_name="tcpretrans"} | source_k8s_namespace_name=~"NAMESPACE" | source_k8s_workload_name=~"WORKLOAD"',
          },
        ],
        range: { from: "FROM", to: "TO" },
      },
    }),
  )
    .replace("LOGS", "$" + "{logs}")
    .replace("NAMESPACE", "$" + "{namespace:regex}")
    .replace("WORKLOAD", "$" + "{workload:regex}")
    .replace("FROM", "$" + "{__from}")
    .replace("TO", "$" + "{__to}")}`,
};
