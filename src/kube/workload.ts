import type { Workload } from "../event/cluster.ts";
import { flagOf, type JsonObject, objectOf, objectsOf, textOf } from "./json-value.ts";

/** A CronJob's Job: the name and the minute of its schedule, in minutes since 1970 (pkg/controller/cronjob/utils.go). */
const CRON_JOB = /^(.+)-\d{8,}$/;

/** Finds the top owner of a pod from its own metadata, without looking at ReplicaSets or Jobs. */
export function workloadOf(metadata: JsonObject, podName: string): Workload {
  const owners = objectsOf(metadata, "ownerReferences");
  const owner = owners.find((reference) => flagOf(reference, "controller")) ?? owners[0] ?? {};
  const kind = textOf(owner, "kind");
  const name = textOf(owner, "name");
  // A mirror pod is owned by its node, which is not what runs there.
  if (kind === undefined || name === undefined || kind === "Node") return told("Pod", podName);
  if (kind === "ReplicaSet") return replicaSetOwner(name, objectOf(metadata, "labels"));
  if (kind === "Job") return jobOwner(name);
  return told(kind, name);
}

/** A Deployment names its ReplicaSets by its own name and the hash that it puts on their pods; Argo Rollouts does alike. */
function replicaSetOwner(name: string, labels: JsonObject): Workload {
  for (const [kind, label] of [
    ["Deployment", "pod-template-hash"],
    ["Rollout", "rollouts-pod-template-hash"],
  ] as const) {
    const suffix = `-${textOf(labels, label)}`;
    if (name.length > suffix.length && name.endsWith(suffix))
      return told(kind, name.slice(0, -suffix.length));
  }
  return told("ReplicaSet", name);
}

function jobOwner(name: string): Workload {
  const cronJob = CRON_JOB.exec(name)?.[1];
  return cronJob === undefined ? told("Job", name) : { kind: "CronJob", name: cronJob, inferred: true };
}

function told(kind: string, name: string): Workload {
  return { kind, name, inferred: false };
}
