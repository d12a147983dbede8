import assert from "node:assert/strict";
import { test } from "node:test";
import type { PodRecord } from "../../../src/event/cluster.ts";
import { agentResource } from "../../../src/export/otlp/agent-resource.ts";
import { podResource } from "../../../src/export/otlp/pod-resource.ts";
import { podRecord } from "./settings.ts";

const CONFIGURED = {
  clusterName: "cluster-1",
  attributes: { "deployment.environment.name": "prod", "service.namespace": "monitoring", "host.name": "h" },
};

interface Case {
  readonly name: string;
  readonly pod: Partial<PodRecord>;
  readonly expected: Readonly<Record<string, string | undefined>>;
}

const CASES: readonly Case[] = [
  {
    name: "the workload without labels and annotations",
    pod: {},
    expected: {
      "service.name": "web",
      "service.namespace": "shop",
      "service.version": undefined,
      "service.instance.id": "shop.web-5d4-x.app",
      "k8s.deployment.name": "web",
      "k8s.container.name": "app",
      "deployment.environment.name": "prod",
      "k8s.cluster.name": "cluster-1",
      "host.name": undefined,
    },
  },
  {
    name: "label name",
    pod: { naming: { labels: { name: "cart", version: "2.1" }, annotations: {} } },
    expected: { "service.name": "cart", "service.version": "2.1" },
  },
  {
    name: "label instance before name",
    pod: { naming: { labels: { name: "cart", instance: "cart-eu" }, annotations: {} } },
    expected: { "service.name": "cart-eu" },
  },
  {
    name: "annotations before labels, of any key, but none of the pod's own",
    pod: {
      naming: {
        labels: { instance: "cart-eu", version: "2.1" },
        annotations: {
          "service.name": "basket",
          "service.namespace": "eu",
          "service.version": "3",
          "service.instance.id": "one",
          "deployment.environment.name": "test",
          "team.name": "red",
          "k8s.pod.name": "not-me",
        },
      },
    },
    expected: {
      "service.name": "basket",
      "service.namespace": "eu",
      "service.version": "3",
      "service.instance.id": "one",
      "deployment.environment.name": "test",
      "team.name": "red",
      "k8s.pod.name": "web-5d4-x",
    },
  },
  ...(
    [
      ["ReplicaSet", "k8s.replicaset.name"],
      ["StatefulSet", "k8s.statefulset.name"],
      ["DaemonSet", "k8s.daemonset.name"],
      ["Job", "k8s.job.name"],
      ["CronJob", "k8s.cronjob.name"],
    ] as const
  ).map(([kind, key]) => ({
    name: `a ${kind}`,
    pod: { workload: { kind, name: "it", inferred: false } },
    expected: { "service.name": "it", [key]: "it", "k8s.deployment.name": undefined },
  })),
  {
    name: "a custom workload, for which there is no key",
    pod: { workload: { kind: "Rollout", name: "it", inferred: false } },
    expected: { "service.name": "it", "k8s.rollout.name": undefined },
  },
  {
    name: "several containers, of which none is meant",
    pod: {
      containers: new Map([
        ["a", "app"],
        ["b", "proxy"],
      ]),
    },
    expected: { "service.instance.id": "shop.web-5d4-x", "k8s.container.name": undefined },
  },
  {
    name: "a pod of another node, whose containers are not known",
    pod: { containers: undefined },
    expected: { "service.instance.id": "shop.web-5d4-x", "k8s.container.name": undefined },
  },
];

for (const { name, pod, expected } of CASES) {
  test(`podResource() names a pod by ${name}`, () => {
    const resource = podResource(podRecord(pod), CONFIGURED);
    for (const [key, value] of Object.entries(expected)) assert.equal(resource[key], value, key);
  });
}

test("agentResource() is the agent's pod on its node, and lets the configuration say otherwise", () => {
  const identity = {
    serviceName: undefined,
    version: "1.2.3",
    self: { namespace: "monitoring", pod: "tcpretrans-x", container: "agent" },
    hostName: "tcpretrans-x",
    nodeName: "node-1",
    clusterName: undefined,
    attributes: { "service.name": "by-attribute", "deployment.environment.name": "prod" },
  };
  assert.deepEqual(agentResource(identity), {
    "service.name": "by-attribute",
    "service.version": "1.2.3",
    "service.instance.id": "monitoring.tcpretrans-x.agent",
    "host.name": "node-1",
    "k8s.node.name": "node-1",
    "k8s.namespace.name": "monitoring",
    "k8s.pod.name": "tcpretrans-x",
    "k8s.container.name": "agent",
    "deployment.environment.name": "prod",
  });
  assert.equal(agentResource({ ...identity, serviceName: "by-name" })["service.name"], "by-name");
  const onHost = agentResource({
    ...identity,
    self: undefined,
    nodeName: undefined,
    hostName: "h",
    attributes: {},
  });
  assert.deepEqual(onHost, {
    "service.name": "tcpretrans",
    "service.version": "1.2.3",
    "service.instance.id": "h",
    "host.name": "h",
  });
});
