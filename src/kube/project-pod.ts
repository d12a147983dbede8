import { canonicalAddress } from "../event/ip-address.ts";
import {
  asObject,
  flagOf,
  type JsonObject,
  objectOf,
  objectsOf,
  portOf,
  secondsOf,
  textOf,
} from "./json-value.ts";
import { namingOf } from "./naming.ts";
import type { Project } from "./resource-sink.ts";
import type { HostPort, SlimPod } from "./slim.ts";
import { workloadOf } from "./workload.ts";

/** Statuses of every kind of container that can have a socket. */
const STATUSES = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"] as const;

/** Makes the projection of pods: container ids are kept only of pods on the node of this name. */
export function podProjection(ownNode: string | undefined): Project<SlimPod> {
  return (object) => projectPod(asObject(object) ?? {}, ownNode);
}

function projectPod(pod: JsonObject, ownNode: string | undefined): SlimPod | undefined {
  const [metadata, spec, status] = [
    objectOf(pod, "metadata"),
    objectOf(pod, "spec"),
    objectOf(pod, "status"),
  ];
  const [uid, namespace, name] = [
    textOf(metadata, "uid"),
    textOf(metadata, "namespace"),
    textOf(metadata, "name"),
  ];
  if (uid === undefined || namespace === undefined || name === undefined) return undefined;
  const nodeName = textOf(spec, "nodeName");
  const phase = textOf(status, "phase");
  const statuses = STATUSES.flatMap((kind) => objectsOf(status, kind));
  const [ready, network] = [condition(status, "Ready"), condition(status, "PodReadyToStartContainers")];
  const finishes = statuses.map(finishedSeconds);
  return {
    uid,
    namespace,
    name,
    nodeName,
    hostNetwork: flagOf(spec, "hostNetwork"),
    addresses: podAddresses(status),
    workload: workloadOf(metadata, name),
    naming: namingOf(metadata),
    containers: nodeName !== undefined && nodeName === ownNode ? containerNames(statuses) : undefined,
    hostPorts: hostPorts(spec),
    configHash: configHash(objectOf(metadata, "annotations")),
    terminal: phase === "Succeeded" || phase === "Failed",
    endsByItself: (textOf(spec, "restartPolicy") ?? "Always") !== "Always",
    ready: textOf(ready, "status") === "True",
    readySeconds: secondsOf(ready, "lastTransitionTime"),
    startSeconds: secondsOf(status, "startTime") ?? secondsOf(metadata, "creationTimestamp"),
    networkSeconds:
      textOf(network, "status") === "True" ? secondsOf(network, "lastTransitionTime") : undefined,
    networkGoneSeconds:
      textOf(network, "status") === "False" ? secondsOf(network, "lastTransitionTime") : undefined,
    finishedSeconds: latest(finishes),
    finished: finishes.length > 0 && !finishes.includes(undefined),
    terminatingSeconds: terminatingSeconds(metadata),
    writtenSeconds: writtenSeconds(metadata, status),
  };
}

/** Only a mirror pod's: anybody may write the other annotation, or have copied it. */
function configHash(annotations: JsonObject): string | undefined {
  const hash = textOf(annotations, "kubernetes.io/config.hash");
  return hash === textOf(annotations, "kubernetes.io/config.mirror") ? hash : undefined;
}

function condition(status: JsonObject, type: string): JsonObject {
  return objectsOf(status, "conditions").find((item) => item["type"] === type) ?? {};
}

function podAddresses(status: JsonObject): readonly string[] {
  const texts = [textOf(status, "podIP"), ...objectsOf(status, "podIPs").map((item) => textOf(item, "ip"))];
  const addresses: string[] = [];
  for (const text of texts) {
    const address = text === undefined ? undefined : canonicalAddress(text);
    if (address !== undefined && !addresses.includes(address)) addresses.push(address);
  }
  return addresses;
}

/** Ids now and before the last restart, whose sockets may outlive it. */
function containerNames(statuses: readonly JsonObject[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const status of statuses) {
    const name = textOf(status, "name");
    const last = objectOf(objectOf(status, "lastState"), "terminated");
    for (const id of [textOf(status, "containerID"), textOf(last, "containerID")]) {
      // "containerd://<64 hex digits>": the runtime's name is not part of the id in a cgroup's path.
      const bare = id?.slice(id.indexOf("://") + 3);
      if (name !== undefined && bare !== undefined && id?.includes("://")) names.set(bare, name);
    }
  }
  return names;
}

/** TCP ports of the node that lead to containers; of a pod on its node's network, the ports that it declares. */
function hostPorts(spec: JsonObject): readonly HostPort[] {
  const containers = [...objectsOf(spec, "containers"), ...objectsOf(spec, "initContainers")];
  const ports = containers.flatMap((container) => objectsOf(container, "ports"));
  const kept: HostPort[] = [];
  for (const item of ports) {
    const port = portOf(item, "hostPort");
    if (port === undefined || (textOf(item, "protocol") ?? "TCP") !== "TCP") continue;
    const address = canonicalAddress(textOf(item, "hostIP") ?? "");
    kept.push({ port, address: address === "0.0.0.0" || address === "::" ? undefined : address });
  }
  return kept;
}

function finishedSeconds(status: JsonObject): number | undefined {
  return secondsOf(objectOf(objectOf(status, "state"), "terminated"), "finishedAt");
}

function latest(seconds: readonly (number | undefined)[]): number | undefined {
  const known = seconds.filter((second) => second !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

/** deletionTimestamp is the end of the grace period, not the request (apimachinery, ObjectMeta). */
function terminatingSeconds(metadata: JsonObject): number | undefined {
  const deadline = secondsOf(metadata, "deletionTimestamp");
  if (deadline === undefined) return undefined;
  const grace = metadata["deletionGracePeriodSeconds"];
  return deadline - (typeof grace === "number" && Number.isFinite(grace) ? Math.trunc(grace) : 0);
}

/** Each writer's last change is in managedFields; binding to a node and asking for a deletion leave other times. */
function writtenSeconds(metadata: JsonObject, status: JsonObject): number | undefined {
  const writes = objectsOf(metadata, "managedFields").map((entry) => secondsOf(entry, "time"));
  if (latest(writes) === undefined) return undefined;
  const changes = objectsOf(status, "conditions").map((item) => secondsOf(item, "lastTransitionTime"));
  return latest([
    ...writes,
    ...changes,
    secondsOf(metadata, "creationTimestamp"),
    terminatingSeconds(metadata),
  ]);
}
