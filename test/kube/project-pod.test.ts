import assert from "node:assert/strict";
import { test } from "node:test";
import { podProjection } from "../../src/kube/project-pod.ts";

/** What a kubelet 1.36 made of a pod with two containers, cut to what matters; dual stack. */
const POD = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: "web-7d9f8b6c5d-x2k9p",
    namespace: "shop",
    uid: "0f3c1f0e-6f0d-4b57-9d2c-2f1a5f0c9b11",
    creationTimestamp: "2026-11-22T10:00:00Z",
    labels: {
      app: "web",
      "app.kubernetes.io/name": "web",
      "app.kubernetes.io/instance": "web-1",
      "pod-template-hash": "7d9f8b6c5d",
    },
    annotations: { "resource.opentelemetry.io/service.name": "shop-web", "other/thing": "x" },
    ownerReferences: [
      { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web-7d9f8b6c5d", uid: "u", controller: true },
    ],
  },
  spec: {
    nodeName: "node-b",
    restartPolicy: "Always",
    containers: [
      {
        name: "web",
        ports: [
          { containerPort: 80, hostPort: 8080 },
          { containerPort: 53, hostPort: 53, protocol: "UDP" },
        ],
      },
      {
        name: "log",
        ports: [{ containerPort: 81, hostPort: 8081, hostIP: "::ffff:172.16.0.2", protocol: "TCP" }],
      },
    ],
  },
  status: {
    phase: "Running",
    startTime: "2026-11-22T10:00:01Z",
    conditions: [
      { type: "PodReadyToStartContainers", status: "True", lastTransitionTime: "2026-11-22T10:00:02Z" },
      { type: "Ready", status: "True", lastTransitionTime: "2026-11-22T10:00:05Z" },
    ],
    hostIP: "172.16.0.2",
    podIP: "10.0.2.5",
    podIPs: [{ ip: "10.0.2.5" }, { ip: "FD00:10:0:0::5" }],
    initContainerStatuses: [
      {
        name: "init",
        containerID: `containerd://${"a".repeat(64)}`,
        state: { terminated: { finishedAt: "2026-11-22T10:00:03Z", exitCode: 0 } },
      },
    ],
    containerStatuses: [
      {
        name: "web",
        containerID: `containerd://${"b".repeat(64)}`,
        state: { running: { startedAt: "2026-11-22T10:00:04Z" } },
        lastState: { terminated: { containerID: `containerd://${"c".repeat(64)}` } },
      },
      { name: "log", state: { waiting: { reason: "ContainerCreating" } } },
    ],
    ephemeralContainerStatuses: [
      { name: "debug", containerID: `cri-o://${"d".repeat(64)}`, state: { running: {} } },
    ],
  },
};

/** Unix seconds of 10:00:00. */
const TEN = Date.parse("2026-11-22T10:00:00Z") / 1000;

/** The pod with parts of its status, spec or metadata replaced. */
function pod(change: { metadata?: object; spec?: object; status?: object }): unknown {
  return {
    metadata: { ...POD.metadata, ...change.metadata },
    spec: { ...POD.spec, ...change.spec },
    status: { ...POD.status, ...change.status },
  };
}

const project = podProjection("node-b");

test("podProjection() keeps of a pod what identity needs", () => {
  assert.deepEqual(project(POD), {
    uid: "0f3c1f0e-6f0d-4b57-9d2c-2f1a5f0c9b11",
    namespace: "shop",
    name: "web-7d9f8b6c5d-x2k9p",
    nodeName: "node-b",
    hostNetwork: false,
    addresses: ["10.0.2.5", "fd00:10::5"],
    workload: { kind: "Deployment", name: "web", inferred: false },
    naming: { labels: { name: "web", instance: "web-1" }, annotations: { "service.name": "shop-web" } },
    containers: new Map([
      ["b".repeat(64), "web"],
      ["c".repeat(64), "web"],
      ["a".repeat(64), "init"],
      ["d".repeat(64), "debug"],
    ]),
    hostPorts: [
      { port: 8080, address: undefined },
      { port: 8081, address: "172.16.0.2" },
    ],
    configHash: undefined,
    terminal: false,
    endsByItself: false,
    ready: true,
    readySeconds: TEN + 5,
    startSeconds: TEN + 1,
    networkSeconds: TEN + 2,
    networkGoneSeconds: undefined,
    finishedSeconds: TEN + 3,
    finished: false,
    terminatingSeconds: undefined,
    writtenSeconds: undefined,
  });
});

test("podProjection() tells the last change that says when it was", () => {
  const written = (change: Parameters<typeof pod>[0]) => {
    const seconds = project(pod(change))?.writtenSeconds;
    return seconds === undefined ? undefined : seconds - TEN;
  };
  const managedFields = [{ time: "2026-11-22T10:00:07Z" }, {}, { time: "2026-11-22T10:00:03Z" }];
  assert.equal(written({ metadata: { managedFields } }), 7);
  const asked = { deletionTimestamp: "2026-11-22T10:01:00Z", deletionGracePeriodSeconds: 30 };
  assert.equal(written({ metadata: { managedFields, ...asked } }), 30);
  const conditions = [{ type: "PodScheduled", status: "True", lastTransitionTime: "2026-11-22T10:00:09Z" }];
  assert.equal(written({ metadata: { managedFields }, status: { conditions } }), 9);
  assert.equal(written({ metadata: asked }), undefined, "nobody keeps a record of changes");
});

test("podProjection() keeps containers of the own node's pods only", () => {
  assert.equal(podProjection("node-a")(POD)?.containers, undefined);
  assert.equal(podProjection(undefined)(pod({ spec: { nodeName: undefined } }))?.containers, undefined);
});

test("podProjection() takes the deadline of a deletion less its grace as the time of the request", () => {
  const metadata = { deletionTimestamp: "2026-11-22T10:01:00Z", deletionGracePeriodSeconds: 30 };
  assert.equal(project(pod({ metadata }))?.terminatingSeconds, TEN + 30);
  assert.equal(
    project(pod({ metadata: { deletionTimestamp: "2026-11-22T10:01:00Z" } }))?.terminatingSeconds,
    TEN + 60,
  );
});

test("podProjection() tells when a pod that is over let go of what", () => {
  const finishedAt = "2026-11-22T10:05:00Z";
  const slim = project(
    pod({
      spec: { restartPolicy: "Never" },
      status: {
        phase: "Succeeded",
        initContainerStatuses: undefined,
        ephemeralContainerStatuses: undefined,
        conditions: [
          { type: "PodReadyToStartContainers", status: "False", lastTransitionTime: "2026-11-22T10:05:02Z" },
          { type: "Ready", status: "False", lastTransitionTime: "2026-11-22T10:05:01Z" },
        ],
        containerStatuses: [
          { name: "web", state: { terminated: { finishedAt } } },
          { name: "log", state: { terminated: { finishedAt: "2026-11-22T10:04:00Z" } } },
        ],
      },
    }),
  );
  assert.ok(slim);
  const { terminal, endsByItself, finished, finishedSeconds, networkSeconds, networkGoneSeconds, ready } =
    slim;
  assert.deepEqual(
    { terminal, endsByItself, finished, finishedSeconds, networkSeconds, networkGoneSeconds, ready },
    {
      terminal: true,
      endsByItself: true,
      finished: true,
      finishedSeconds: TEN + 300,
      networkSeconds: undefined,
      networkGoneSeconds: TEN + 302,
      ready: false,
    },
  );
});

test("podProjection() takes a pod's creation for its start until the kubelet tells of one", () => {
  assert.equal(project(pod({ status: { startTime: undefined } }))?.startSeconds, TEN);
});

test("podProjection() knows a mirror pod by its config's hash", () => {
  const slim = project(
    pod({
      metadata: {
        annotations: { "kubernetes.io/config.hash": "5ca1ab1e", "kubernetes.io/config.mirror": "5ca1ab1e" },
        ownerReferences: [{ apiVersion: "v1", kind: "Node", name: "node-b", uid: "n", controller: true }],
      },
      spec: { hostNetwork: true },
    }),
  );
  assert.equal(slim?.configHash, "5ca1ab1e");
  assert.equal(slim?.hostNetwork, true);
  assert.deepEqual(slim?.workload, { kind: "Pod", name: "web-7d9f8b6c5d-x2k9p", inferred: false });
});

test("podProjection() takes no config's hash from a pod that is no mirror pod", () => {
  const annotations = { "kubernetes.io/config.hash": "5ca1ab1e" };
  assert.equal(project(pod({ metadata: { annotations } }))?.configHash, undefined);
});

test("podProjection() leaves out annotations that are too long and addresses that are none", () => {
  const annotations = { "resource.opentelemetry.io/service.name": "x".repeat(1025) };
  const slim = project(
    pod({ metadata: { annotations, labels: {} }, status: { podIP: "10.0.2.999", podIPs: [{ ip: 7 }, {}] } }),
  );
  assert.equal(slim?.naming, undefined);
  assert.deepEqual(slim?.addresses, []);
});

for (const missing of ["uid", "namespace", "name"]) {
  test(`podProjection() gives nothing for an object without ${missing}`, () => {
    assert.equal(project(pod({ metadata: { [missing]: undefined } })), undefined);
  });
}
