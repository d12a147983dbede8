import assert from "node:assert/strict";
import { test } from "node:test";
import { workloadOf } from "../../src/kube/workload.ts";

interface Case {
  readonly name: string;
  readonly owners: readonly object[];
  readonly labels?: object;
  readonly workload: string;
  readonly inferred?: boolean;
}

const CASES: readonly Case[] = [
  { name: "a bare pod as itself", owners: [], workload: "Pod p" },
  { name: "a mirror pod as itself", owners: [owner("Node", "node-b")], workload: "Pod p" },
  {
    name: "a Deployment by its ReplicaSet's name less the hash",
    owners: [owner("ReplicaSet", "my-app-5d4f")],
    labels: { "pod-template-hash": "5d4f" },
    workload: "Deployment my-app",
  },
  {
    name: "a ReplicaSet that is nobody's as itself",
    owners: [owner("ReplicaSet", "my-app-5d4f")],
    workload: "ReplicaSet my-app-5d4f",
  },
  {
    name: "a ReplicaSet whose name does not end in the hash as itself",
    owners: [owner("ReplicaSet", "my-app-5d4f")],
    labels: { "pod-template-hash": "5d4e" },
    workload: "ReplicaSet my-app-5d4f",
  },
  {
    name: "an Argo Rollout by the hash that it puts on its pods",
    owners: [owner("ReplicaSet", "my-app-5d4f")],
    labels: { "rollouts-pod-template-hash": "5d4f" },
    workload: "Rollout my-app",
  },
  { name: "a StatefulSet", owners: [owner("StatefulSet", "db")], workload: "StatefulSet db" },
  { name: "a DaemonSet", owners: [owner("DaemonSet", "ds")], workload: "DaemonSet ds" },
  {
    name: "a ReplicationController",
    owners: [owner("ReplicationController", "rc")],
    workload: "ReplicationController rc",
  },
  { name: "a Job", owners: [owner("Job", "import")], workload: "Job import" },
  {
    name: "a Job with a short number",
    owners: [owner("Job", "import-1234567")],
    workload: "Job import-1234567",
  },
  {
    name: "a CronJob by its Job's name, as a guess",
    owners: [owner("Job", "import-29876543")],
    workload: "CronJob import",
    inferred: true,
  },
  {
    name: "a custom owner as it is",
    owners: [owner("SparkApplication", "etl")],
    workload: "SparkApplication etl",
  },
  {
    name: "the controller among several owners",
    owners: [{ kind: "Quota", name: "q" }, owner("StatefulSet", "db")],
    workload: "StatefulSet db",
  },
  {
    name: "the first owner where none controls",
    owners: [{ kind: "Fleet", name: "f" }],
    workload: "Fleet f",
  },
  {
    name: "an owner without a name as none",
    owners: [{ kind: "Fleet", controller: true }],
    workload: "Pod p",
  },
];

for (const { name, owners, labels = {}, workload, inferred = false } of CASES) {
  test(`workloadOf() gives ${name}`, () => {
    const found = workloadOf({ ownerReferences: owners, labels }, "p");
    assert.deepEqual([`${found.kind} ${found.name}`, found.inferred], [workload, inferred]);
  });
}

function owner(kind: string, name: string): object {
  return { kind, name, controller: true };
}
