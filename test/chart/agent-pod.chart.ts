import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfigFile } from "../../src/config/config-file.ts";
import { resolveConfig } from "../../src/config/resolve-config.ts";
import { find, type Rendered, render } from "./render.ts";

const helm = process.env["HELM"] ?? "helm";

function objectsOf(values: unknown, options: { kubeVersion?: string } = {}): readonly Rendered[] {
  const { objects, problem } = render(values, { helm, ...options });
  assert.equal(problem, undefined);
  return objects;
}

function podOf(values: unknown, options: { kubeVersion?: string } = {}) {
  const { spec } = find(objectsOf(values, options), "DaemonSet", "tcpretrans");
  return { ...spec.template, spec: spec.template.spec, container: spec.template.spec.containers[0] };
}

/** What the agent of the rendered pod would run with: its file and its own variables, as Kubernetes fills them in. */
function agentConfig(values: unknown) {
  const objects = objectsOf(values);
  const file = find(objects, "ConfigMap", "tcpretrans")["data"]["agent.yaml"];
  const { container } = podOf(values);
  const fields: Record<string, string> = {
    "spec.nodeName": "node-a",
    "status.podIP": "10.244.1.2",
    "status.hostIP": "192.0.2.1",
    "metadata.name": "lab-tcpretrans-x",
    "metadata.namespace": "network",
  };
  const env: Record<string, string> = {};
  for (const { name, value, valueFrom } of container.env) {
    const text = value ?? fields[valueFrom.fieldRef?.fieldPath] ?? "name=secret";
    env[name] = text.replace(/\$\((\w+)\)/g, (whole: string, variable: string) => env[variable] ?? whole);
  }
  const { config, problems, warnings } = resolveConfig(new Map(), env, {
    file: parseConfigFile(file, "agent.yaml"),
  });
  assert.deepEqual([...problems, ...warnings], []);
  return config!;
}

test("the agent of default values listens on its pod's addresses, sees the host and exports nothing", () => {
  const config = agentConfig({});
  assert.equal(config.http.host, "::");
  assert.equal(config.kubernetes.enabled, true);
  assert.equal(config.kubernetes.nodeName, "node-a");
  assert.equal(config.kubernetes.netnsPath, "/host/run/netns");
  assert.deepEqual(config.host, { procPath: "/host/proc", cgroupPath: "/host/sys/fs/cgroup" });
  assert.equal(config.events.output, "none");
  assert.equal(config.log.format, "json");
  assert.deepEqual(
    [config.logs.exporter, config.metrics.exporter, config.traces.exporter],
    ["none", "none", "none"],
  );
});

test("the agent on the host's network listens on the node's address alone", () => {
  const updateStrategy = { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } };
  assert.equal(agentConfig({ hostNetwork: true, updateStrategy }).http.host, "10.244.1.2");
});

test("every path of the configuration is where the pod mounts it", () => {
  for (const privileged of [true, false]) {
    const config = agentConfig({ privileged });
    const mounts = podOf({ privileged }).container.volumeMounts.map(
      ({ mountPath }: { mountPath: string }) => mountPath,
    );
    const { procPath, cgroupPath, tracefsPath } = config.host;
    for (const path of [procPath, cgroupPath, tracefsPath, config.kubernetes.netnsPath])
      if (path !== undefined) assert.ok(mounts.includes(path), `${path} is mounted`);
    assert.equal(tracefsPath, privileged ? undefined : "/host/sys/kernel/tracing");
  }
});

test("collector.endpoint goes to the node's own Collector by $(HOST_IP)", () => {
  const { otlp, logs } = agentConfig({ collector: { endpoint: "http://$(HOST_IP):4317" } });
  assert.equal(logs.exporter, "otlp");
  assert.equal(otlp.logs.endpoint, "http://192.0.2.1:4317");
  assert.equal(otlp.logs.protocol, "grpc");
});

test("collector.tls and collector.headersSecret become files and headers", () => {
  const values = {
    collector: {
      endpoint: "https://collector:4317",
      headersSecret: { name: "collector" },
      tls: { secretName: "tls", certificate: "tls.crt", key: "tls.key" },
    },
  };
  const { otlp } = agentConfig(values);
  assert.equal(otlp.logs.certificate, "/etc/tcpretrans/tls/ca.crt");
  assert.equal(otlp.logs.clientCertificate, "/etc/tcpretrans/tls/tls.crt");
  assert.equal(otlp.logs.clientKey, "/etc/tcpretrans/tls/tls.key");
  assert.deepEqual(otlp.logs.headers, { name: "secret" });
  const { spec, container } = podOf(values);
  assert.equal(spec.volumes.find(({ name }: { name: string }) => name === "tls").secret.secretName, "tls");
  assert.ok(
    container.volumeMounts.some(
      ({ mountPath }: { mountPath: string }) => mountPath === "/etc/tcpretrans/tls",
    ),
  );
});

test("config of values is the agent's own, large numbers, false and zero included", () => {
  const config = agentConfig({
    config: {
      queue: { maxBytes: 4_294_967_296, maxRecords: 10_000_000 },
      kubernetes: { enabled: false, tombstones: { seconds: 0 } },
      http: { enabled: false, host: "::1" },
      names: { cidrs: [{ name: "office", cidr: "192.0.2.0/24" }] },
    },
  });
  assert.equal(config.queue.maxBytes, 4_294_967_296);
  assert.equal(config.queue.maxRecords, 10_000_000);
  assert.equal(config.kubernetes.enabled, false);
  assert.equal(config.kubernetes.tombstones.seconds, 0);
  assert.equal(config.http.enabled, false);
  assert.equal(config.http.host, "::1");
  assert.equal(config.names.cidrs.length, 1);
});

test("a section of config that is null is one that is left out", () => {
  for (const section of ["kubernetes", "host", "http", "events", "metrics", "otlp", "resource", "shutdown"]) {
    const { problem } = render({ config: { [section]: null }, demo: { enabled: true } }, { helm });
    assert.equal(problem, undefined, section);
  }
  assert.equal(
    render({ updateStrategy: { type: "OnDelete", rollingUpdate: null } }, { helm }).problem,
    undefined,
  );
});

test("the pod shares nothing with the host but what it mounts, and makes no directory there", () => {
  for (const privileged of [true, false]) {
    const { spec, container } = podOf({ privileged });
    assert.equal(spec.hostNetwork, undefined);
    assert.equal(spec.hostPID, undefined);
    assert.equal(spec.hostIPC, undefined);
    assert.equal(container.securityContext.readOnlyRootFilesystem, true);
    assert.equal(container.securityContext.runAsUser, 0);
    for (const { name, hostPath } of spec.volumes) {
      if (hostPath === undefined) continue;
      assert.equal(hostPath.type, name === "netns" ? undefined : "Directory", name);
    }
    const writable = container.volumeMounts.filter(
      ({ readOnly }: { readOnly?: boolean }) => readOnly !== true,
    );
    assert.deepEqual(
      writable.map(({ name }: { name: string }) => name),
      privileged ? [] : ["tracefs"],
    );
  }
});

test("privileged: false has exactly the capabilities of values, the runtime's seccomp and no AppArmor", () => {
  const { securityContext } = podOf({ privileged: false }).container;
  assert.equal(securityContext.privileged, false);
  assert.deepEqual(securityContext.capabilities, {
    drop: ["ALL"],
    add: ["DAC_READ_SEARCH", "SYS_PTRACE", "SYS_ADMIN", "NET_ADMIN", "SYSLOG"],
  });
  assert.deepEqual(securityContext.seccompProfile, { type: "RuntimeDefault" });
  assert.deepEqual(securityContext.appArmorProfile, { type: "Unconfined" });
  const less = podOf({ privileged: false, capabilities: ["SYSLOG"] }).container.securityContext;
  assert.equal(less.allowPrivilegeEscalation, false);
  assert.deepEqual(less.capabilities.add, ["SYSLOG"]);
});

test("appArmorProfile is an annotation before Kubernetes 1.30", () => {
  const { metadata, container } = podOf({ privileged: false }, { kubeVersion: "1.29.3" });
  const annotation = "container.apparmor.security.beta.kubernetes.io/tcpretrans";
  assert.equal(metadata.annotations[annotation], "unconfined");
  assert.equal(container.securityContext.appArmorProfile, undefined);
});

test("privileged: true adds no rule that a privileged container cannot have", () => {
  const { securityContext } = podOf({}).container;
  assert.deepEqual(Object.keys(securityContext).toSorted(), [
    "privileged",
    "readOnlyRootFilesystem",
    "runAsGroup",
    "runAsNonRoot",
    "runAsUser",
  ]);
});

test("the pod may take longer to end than the agent", () => {
  assert.equal(podOf({}).spec.terminationGracePeriodSeconds, 30);
  assert.equal(podOf({ config: { shutdown: { graceSeconds: 2.5 } } }).spec.terminationGracePeriodSeconds, 13);
  assert.equal(podOf({ terminationGracePeriodSeconds: 90 }).spec.terminationGracePeriodSeconds, 90);
});

test("NODE_OPTIONS bounds the heap by the memory limit, or by a number where there is none", () => {
  const options = (values: unknown) =>
    podOf(values).container.env.filter(({ name }: { name: string }) => name === "NODE_OPTIONS");
  assert.deepEqual(options({ heapPercent: 60 }), [
    { name: "NODE_OPTIONS", value: "--max-old-space-size-percentage=60" },
  ]);
  assert.deepEqual(options({ resources: { limits: null } }), [
    { name: "NODE_OPTIONS", value: "--max-old-space-size=128" },
  ]);
  const own = { name: "NODE_OPTIONS", value: "--max-old-space-size=100" };
  assert.deepEqual(options({ extraEnv: [own] }), [own]);
});

test("a changed configuration starts the pods anew, and a release's other objects do not", () => {
  const sum = (values: unknown) => podOf(values).metadata.annotations["checksum/config"];
  assert.notEqual(sum({}), sum({ config: { log: { level: "debug" } } }));
  assert.equal(sum({}), sum({ service: { enabled: false } }));
});

test("probes ask the agent's own port, and none asks where nothing is served", () => {
  const { container } = podOf({ config: { http: { port: 9999 } } });
  assert.deepEqual(container.ports, [{ name: "http", containerPort: 9999, protocol: "TCP" }]);
  assert.equal(container.startupProbe.httpGet.path, "/livez");
  assert.equal(container.livenessProbe.httpGet.path, "/livez");
  assert.equal(container.readinessProbe.httpGet.path, "/readyz");
  const silent = podOf({ config: { http: { enabled: false } } }).container;
  for (const key of ["ports", "startupProbe", "livenessProbe", "readinessProbe"])
    assert.equal(silent[key], undefined);
  assert.equal(container.livenessProbe.httpGet.host, undefined);
  const updateStrategy = { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } };
  const beside = podOf({ hostNetwork: true, updateStrategy, config: { http: { host: "127.0.0.1" } } });
  assert.equal(beside.container.livenessProbe.httpGet.host, "127.0.0.1");
});

test("the DaemonSet runs on every node and hands over before the old pod goes", () => {
  const { spec } = find(objectsOf({}), "DaemonSet", "tcpretrans");
  assert.deepEqual(spec.template.spec.tolerations, [{ operator: "Exists" }]);
  assert.deepEqual(spec.template.spec.nodeSelector, { "kubernetes.io/os": "linux" });
  assert.equal(spec.template.spec.priorityClassName, undefined);
  assert.deepEqual(spec.updateStrategy, {
    type: "RollingUpdate",
    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
  });
});

test("image.digest wins over the tag", () => {
  const digest = `sha256:${"0".repeat(64)}`;
  assert.equal(podOf({ image: { repository: "r/t", tag: "1", digest } }).container.image, `r/t@${digest}`);
  assert.equal(podOf({ image: { repository: "r/t", tag: "1" } }).container.image, "r/t:1");
  assert.equal(podOf({}).container.image.split(":")[1], "0.1.0");
});

test("hostPaths.netns is the runtime's directory, or none", () => {
  const { spec } = podOf({ hostPaths: { netns: "/var/run/docker/netns", mountPropagation: "None" } });
  const volume = spec.volumes.find(({ name }: { name: string }) => name === "netns");
  assert.deepEqual(volume.hostPath, { path: "/var/run/docker/netns" });
  const none = podOf({ hostPaths: { netns: "" } });
  assert.ok(!none.spec.volumes.some(({ name }: { name: string }) => name === "netns"));
  assert.ok(!none.container.volumeMounts.some(({ name }: { name: string }) => name === "netns"));
});
