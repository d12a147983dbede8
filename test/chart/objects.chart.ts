import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { CHART, find, RELEASE, type Rendered, render } from "./render.ts";

const helm = process.env["HELM"] ?? "helm";

function objectsOf(values: unknown): readonly Rendered[] {
  const { objects, problem } = render(values, { helm });
  assert.equal(problem, undefined);
  return objects;
}

const kindsOf = (objects: readonly Rendered[]) => new Set(objects.map(({ kind }) => kind));
const isHook = ({ metadata }: Rendered) => metadata.annotations?.["helm.sh/hook"] !== undefined;

test("the ClusterRole grants exactly what the agent asks for", () => {
  assert.deepEqual(find(objectsOf({}), "ClusterRole")["rules"], [
    { apiGroups: [""], resources: ["pods", "services"], verbs: ["list", "watch"] },
    { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
    { apiGroups: [""], resources: ["nodes"], verbs: ["list"] },
  ]);
  const withCidrs = find(objectsOf({ config: { kubernetes: { serviceCidrs: true } } }), "ClusterRole")[
    "rules"
  ];
  assert.deepEqual(withCidrs.at(-1), {
    apiGroups: ["networking.k8s.io"],
    resources: ["servicecidrs"],
    verbs: ["list"],
  });
});

test("without names there is neither a ClusterRole nor a token", () => {
  const objects = objectsOf({ config: { kubernetes: { enabled: false } } });
  assert.ok(!kindsOf(objects).has("ClusterRole"));
  assert.equal(
    find(objects, "DaemonSet", "tcpretrans")["spec"].template.spec.automountServiceAccountToken,
    false,
  );
});

test("nothing is installed by default that needs a CRD or another namespace", () => {
  const kinds = kindsOf(objectsOf({}).filter((object) => !isHook(object)));
  assert.deepEqual([...kinds].toSorted(), [
    "ClusterRole",
    "ClusterRoleBinding",
    "ConfigMap",
    "DaemonSet",
    "Service",
    "ServiceAccount",
  ]);
});

for (const file of globSync(join(CHART, "ci/*-values.yaml"))) {
  const values = parse(readFileSync(file, "utf8")) ?? {};
  test(`${basename(file)}: every object has its name once, its labels and its namespace`, () => {
    const objects = objectsOf(values);
    const ids = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`);
    assert.deepEqual(ids, [...new Set(ids)]);
    const given = new Set(["more", "retransmits-text"]); // extraManifests
    for (const { kind, metadata } of objects) {
      if (given.has(metadata.name)) continue;
      assert.equal(metadata.labels?.["app.kubernetes.io/instance"], RELEASE.name, `${kind} ${metadata.name}`);
      const isWide =
        kind.startsWith("Cluster") || ["SecurityContextConstraints", "PriorityClass"].includes(kind);
      assert.equal(metadata.namespace, isWide ? undefined : RELEASE.namespace, `${kind} ${metadata.name}`);
    }
  });
  test(`${basename(file)}: no list of a pod has a name twice, as server-side apply wants it`, () => {
    for (const { kind, metadata, spec } of objectsOf(values)) {
      const pod = kind === "Pod" ? spec : spec?.template?.spec;
      if (pod === undefined) continue;
      for (const container of [...pod.containers, ...(pod.initContainers ?? [])]) {
        const once = (
          list: readonly { name?: string; mountPath?: string }[] = [],
          key: "name" | "mountPath" = "name",
        ) => {
          const names = list.map((item) => item[key]);
          assert.deepEqual(names, [...new Set(names)], `${kind} ${metadata.name}`);
        };
        once(container.env);
        once(container.ports);
        once(container.volumeMounts, "mountPath");
        once(pod.volumes);
      }
    }
  });
  test(`${basename(file)}: selectors find their pods, and each volume mounted is there`, () => {
    for (const { kind, metadata, spec } of objectsOf(values)) {
      if (spec?.template === undefined) continue;
      const { labels } = spec.template.metadata;
      for (const [key, value] of Object.entries(spec.selector?.matchLabels ?? {}))
        assert.equal(labels[key], value, `${kind} ${metadata.name}`);
      const pod = spec.template.spec;
      const volumes = new Set((pod.volumes ?? []).map(({ name }: { name: string }) => name));
      for (const { volumeMounts = [] } of [...pod.containers, ...(pod.initContainers ?? [])])
        for (const { name } of volumeMounts)
          assert.ok(volumes.has(name), `${kind} ${metadata.name}: ${name}`);
    }
  });
}

test("the Service and the monitors find the agents and nobody else", () => {
  const objects = objectsOf({ serviceMonitor: { enabled: true }, demo: { enabled: true } });
  const labels = (object: Rendered) => object["spec"].template.metadata.labels;
  const matches = (selector: Record<string, string>, object: Rendered) =>
    Object.entries(selector).every(([key, value]) => labels(object)[key] === value);
  const service = find(objects, "Service", "tcpretrans")["spec"];
  assert.equal(service.clusterIP, "None");
  assert.equal(service.publishNotReadyAddresses, true);
  const sets = objects.filter(({ kind }) => ["DaemonSet", "Deployment", "Job"].includes(kind));
  assert.equal(sets.length, 5);
  assert.deepEqual(
    sets.filter((set) => matches(service.selector, set)).map(({ metadata }) => metadata.name),
    ["lab-tcpretrans"],
  );
  const { selector, endpoints } = find(objects, "ServiceMonitor")["spec"];
  const serviceLabels = find(objects, "Service", "tcpretrans").metadata.labels ?? {};
  for (const [key, value] of Object.entries(selector.matchLabels)) assert.equal(serviceLabels[key], value);
  assert.equal(endpoints[0].port, service.ports[0].name);
  assert.equal(endpoints[0].honorLabels, true);
});

test("prometheusRule has the chart's groups and those of values, alerts with alertLabels", () => {
  const extraGroups = [{ name: "own", rules: [{ alert: "Own", expr: "1" }] }];
  const values = { prometheusRule: { enabled: true, extraGroups, alertLabels: { team: "network" } } };
  const { groups } = find(objectsOf(values), "PrometheusRule")["spec"];
  const files = globSync(join(CHART, "rules/*.yaml")).sort();
  const own = files.flatMap((file) => parse(readFileSync(file, "utf8")).groups);
  assert.deepEqual(
    groups.map(({ name }: { name: string }) => name),
    [...own.map(({ name }) => name), "own"],
  );
  for (const { name, rules } of groups) {
    if (name === "own") continue;
    for (const rule of rules) if (rule.alert !== undefined) assert.equal(rule.labels.team, "network");
  }
});

test("docsUrl is where every alert's runbook is and where dashboards link; without it there are no such links", () => {
  const enabled = {
    prometheusRule: { enabled: true },
    dashboards: { enabled: true },
    demo: { enabled: true },
  };
  const linked = JSON.stringify(objectsOf({ ...enabled, docsUrl: "https://wiki.example/docs/" }));
  assert.ok(linked.includes("https://wiki.example/docs/dashboards.md"));
  const url = (alert: string) => `https://wiki.example/docs/runbooks/${alert}.md`;
  const { groups } = find(objectsOf({ ...enabled, docsUrl: "https://wiki.example/docs" }), "PrometheusRule")[
    "spec"
  ];
  for (const { alert, annotations } of groups.flatMap(({ rules }: { rules: readonly Rendered[] }) => rules))
    if (alert !== undefined) assert.equal(annotations.runbook_url, url(alert));
  const bare = JSON.stringify(objectsOf(enabled));
  assert.ok(!bare.includes("runbook_url"));
  assert.ok(!bare.includes("/runbooks/"));
  for (const text of [linked, bare]) assert.ok(!text.includes("DOCS_URL/"));
});

test("dashboards are ConfigMaps with the sidecar's label, each the file as it is", () => {
  const docsUrl = "https://wiki.example/docs";
  const objects = objectsOf({ docsUrl, dashboards: { enabled: true } });
  for (const file of globSync(join(CHART, "dashboards/*.json"))) {
    const text = readFileSync(file, "utf8");
    const map = find(objects, "ConfigMap", `-dashboard-${basename(file, ".json").toLowerCase()}`);
    assert.equal(map.metadata.labels?.["grafana_dashboard"], "1");
    assert.equal(map["data"][basename(file)].trimEnd(), text.trimEnd().replaceAll("DOCS_URL", docsUrl));
  }
});

test("demo.enabled sends the agents to a Collector that sends to a Prometheus", () => {
  const objects = objectsOf({ demo: { enabled: true } });
  const { env } = find(objects, "DaemonSet", "tcpretrans")["spec"].template.spec.containers[0];
  const endpoint = env.find(({ name }: { name: string }) => name === "TCPRETRANS_OTLP_ENDPOINT").value;
  assert.equal(endpoint, "http://lab-tcpretrans-demo-collector.network.svc:4317");
  assert.ok(
    find(objects, "Service", "demo-collector")["spec"].ports.some(
      ({ port }: { port: number }) => port === 4317,
    ),
  );
  const collector = parse(find(objects, "ConfigMap", "demo-collector")["data"]["config.yaml"]);
  assert.equal(
    collector.exporters["otlphttp/prometheus"].endpoint,
    "http://lab-tcpretrans-demo-prometheus.network.svc:9090/api/v1/otlp",
  );
  for (const { receivers, processors, exporters } of Object.values<Record<string, string[]>>(
    collector.service.pipelines,
  )) {
    for (const name of receivers ?? []) assert.ok(name in collector.receivers);
    for (const name of processors ?? []) assert.ok(name in collector.processors);
    for (const name of exporters ?? []) assert.ok(name in collector.exporters);
  }
  const { args } = find(objects, "Deployment", "demo-prometheus")["spec"].template.spec.containers[0];
  assert.ok(args.includes("--web.enable-otlp-receiver"));
  parse(find(objects, "ConfigMap", "demo-prometheus")["data"]["prometheus.yml"]);
});

test("the cleaner comes after everything else is gone, in order, and goes itself", () => {
  const hooks = objectsOf({}).filter(
    ({ metadata }) => metadata.annotations?.["helm.sh/hook"] === "post-delete",
  );
  const ordered = hooks.toSorted(
    (a, b) =>
      Number(a.metadata.annotations?.["helm.sh/hook-weight"]) -
      Number(b.metadata.annotations?.["helm.sh/hook-weight"]),
  );
  assert.deepEqual(
    ordered.map(({ kind }) => kind),
    ["ServiceAccount", "Role", "RoleBinding", "DaemonSet", "Job"],
  );
  for (const { metadata } of hooks)
    assert.match(metadata.annotations?.["helm.sh/hook-delete-policy"] ?? "", /hook-succeeded/);
  const agent = find(objectsOf({}), "DaemonSet", "tcpretrans")["spec"].template.spec;
  const cleaner = find(objectsOf({}), "DaemonSet", "cleanup")["spec"].template.spec;
  assert.deepEqual(cleaner.initContainers[0].securityContext, agent.containers[0].securityContext);
  assert.deepEqual(cleaner.tolerations, agent.tolerations);
  assert.deepEqual(cleaner.nodeSelector, agent.nodeSelector);
  assert.ok(!kindsOf(objectsOf({ cleanup: { enabled: false } })).has("Job"));
});

test("openshift.enabled allows the agents and the cleaner their capabilities and no host network", () => {
  const objects = objectsOf({ openshift: { enabled: true }, privileged: false });
  const [own, cleaner] = objects.filter(({ kind }) => kind === "SecurityContextConstraints");
  assert.deepEqual(own?.["users"], ["system:serviceaccount:network:lab-tcpretrans"]);
  assert.deepEqual(cleaner?.["users"], ["system:serviceaccount:network:lab-tcpretrans-cleanup"]);
  assert.equal(own?.["allowPrivilegedContainer"], false);
  assert.equal(own?.["allowHostNetwork"], false);
  assert.deepEqual(own?.["allowedCapabilities"], [
    "DAC_READ_SEARCH",
    "SYS_PTRACE",
    "SYS_ADMIN",
    "NET_ADMIN",
    "SYSLOG",
  ]);
});

test("priorityClass.create makes the class that the agents have, and the cleaner does without", () => {
  const objects = objectsOf({ priorityClass: { create: true, value: 1_000 } });
  const { metadata, value } = find(objects, "PriorityClass");
  assert.equal(value, 1_000);
  const classOf = (nameEnd: string) =>
    find(objects, "DaemonSet", nameEnd)["spec"].template.spec.priorityClassName;
  assert.equal(classOf("tcpretrans"), metadata.name);
  assert.equal(classOf("cleanup"), undefined);
});

test("verticalPodAutoscaler.enabled is about the agents' container, within what values allow", () => {
  const maxAllowed = { memory: "1Gi" };
  const objects = objectsOf({ verticalPodAutoscaler: { enabled: true, updateMode: "Initial", maxAllowed } });
  const { targetRef, updatePolicy, resourcePolicy } = find(objects, "VerticalPodAutoscaler")["spec"];
  const agents = find(objects, "DaemonSet", "tcpretrans");
  assert.deepEqual(targetRef, { apiVersion: "apps/v1", kind: "DaemonSet", name: agents.metadata.name });
  assert.equal(updatePolicy.updateMode, "Initial");
  const { containers } = agents["spec"].template.spec;
  assert.deepEqual(resourcePolicy.containerPolicies, [
    { containerName: containers[0].name, controlledResources: ["cpu", "memory"], maxAllowed },
  ]);
});

test("networkPolicy lets in who may scrape and the chart's own test", () => {
  const ingressFrom = [{ namespaceSelector: {} }];
  const { spec } = find(objectsOf({ networkPolicy: { enabled: true, ingressFrom } }), "NetworkPolicy");
  assert.equal(spec.ingress[0].from.length, 2);
  assert.deepEqual(spec.policyTypes, ["Ingress"]);
  const open = find(objectsOf({ networkPolicy: { enabled: true } }), "NetworkPolicy")["spec"];
  assert.equal(open.ingress[0].from, undefined);
});

const refused: readonly { readonly name: string; readonly values: unknown; readonly says: RegExp }[] = [
  { name: "an unknown key", values: { colector: {} }, says: /colector/ },
  { name: "what the agent refuses", values: { config: { kubernetes: { scope: "node" } } }, says: /scope/ },
  { name: "an unknown key of the agent", values: { config: { metrics: { interval: 1 } } }, says: /interval/ },
  { name: "a text for a number", values: { config: { http: { port: "9464" } } }, says: /port/ },
  { name: "a port of 0", values: { config: { http: { port: 0 } } }, says: /probes must know the port/ },
  { name: "a collector that is no URL", values: { collector: { endpoint: "ftp://x" } }, says: /endpoint/ },
  {
    name: "an endpoint twice",
    values: { collector: { endpoint: "http://a:1" }, config: { otlp: { endpoint: "http://b:1" } } },
    says: /they say the same/,
  },
  {
    name: "too short an end",
    values: { terminationGracePeriodSeconds: 20 },
    says: /the agent may take 20 s to end/,
  },
  {
    name: "hostNetwork with a surge",
    values: { hostNetwork: true },
    says: /two agents on a node want one port/,
  },
  {
    name: "a certificate without its key",
    values: { collector: { tls: { secretName: "s", certificate: "tls.crt" } } },
    says: /give both/,
  },
  {
    name: "a certificate from nowhere",
    values: { collector: { tls: { key: "k", certificate: "c" } } },
    says: /secretName/,
  },
  {
    name: "a ServiceMonitor without a Service",
    values: { serviceMonitor: { enabled: true }, service: { enabled: false } },
    says: /finds the agents by their Service/,
  },
  {
    name: "two monitors",
    values: { serviceMonitor: { enabled: true }, podMonitor: { enabled: true } },
    says: /scraped twice/,
  },
  {
    name: "a monitor of nothing",
    values: { podMonitor: { enabled: true }, config: { http: { enabled: false } } },
    says: /nothing serves/,
  },
  {
    name: "loopback, where the kubelet does not come",
    values: { config: { http: { host: "127.0.0.1" } } },
    says: /the kubelet asks the pod's address/,
  },
  {
    name: "a priority class made and named",
    values: { priorityClassName: "high", priorityClass: { create: true } },
    says: /give one/,
  },
  { name: "a digest that is none", values: { image: { digest: "abc" } }, says: /digest/ },
  { name: "a capability that is none", values: { capabilities: ["sys-admin"] }, says: /capabilities/ },
  {
    name: "Bidirectional propagation",
    values: { hostPaths: { mountPropagation: "Bidirectional" } },
    says: /mountPropagation/,
  },
];
for (const { name, values, says } of refused) {
  test(`helm refuses ${name} and says so`, () => {
    const { problem } = render(values, { helm });
    assert.match(problem ?? "", says);
  });
}

test("helm refuses a Kubernetes that is too old", () => {
  assert.match(render({}, { helm, kubeVersion: "1.28.9" }).problem ?? "", /kubeVersion/);
});

test("several problems are said at once", () => {
  const { problem = "" } = render({ hostNetwork: true, terminationGracePeriodSeconds: 1 }, { helm });
  assert.match(problem, /two agents/);
  assert.match(problem, /may take 20 s/);
});
