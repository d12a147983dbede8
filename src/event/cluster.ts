/** The workload that a pod belongs to: its top owner, or the pod itself where nothing owns it. */
export interface Workload {
  /** The API's kind: Deployment, StatefulSet, DaemonSet, Job, CronJob, Pod, or a custom one. */
  readonly kind: string;
  readonly name: string;
  /** Told by a pattern in names (a CronJob by its Job's name), not by an owner reference. */
  readonly inferred: boolean;
}

/** What `service.name` and its like are made of, by OpenTelemetry's rules for Kubernetes; shared by a workload's pods. */
export interface ServiceNaming {
  /** Labels `app.kubernetes.io/*`, by what follows the slash. */
  readonly labels: Readonly<Record<string, string>>;
  /** Annotations `resource.opentelemetry.io/*`, by what follows the slash. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** A pod, cut to what identity needs. Fields change as the pod does; the object stays the same for a uid. */
export interface PodRecord {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** Undefined until the pod is scheduled. */
  readonly nodeName: string | undefined;
  readonly hostNetwork: boolean;
  readonly workload: Workload;
  readonly naming: ServiceNaming | undefined;
  /** Names of containers by container id (64 hex digits); only of this node's pods. */
  readonly containers: ReadonlyMap<string, string> | undefined;
  /** The Ready condition is True. */
  readonly ready: boolean;
  /** Unix time in ms of the change of the Ready condition; undefined where there is none. */
  readonly readySinceMs: number | undefined;
  /** Unix time in ms of the request to delete (deletionTimestamp less the grace period); undefined while nobody asked. */
  readonly terminatingSinceMs: number | undefined;
  /** Unix time in ms when the pod was gone, or had Succeeded or Failed; undefined while it lives. */
  readonly endedMs: number | undefined;
}

/** A Service, cut to what identity needs. */
export interface ServiceRecord {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** Unix time in ms since which none of its endpoints is ready; undefined while one is, or where it is not known. */
  readonly noEndpointsSinceMs: number | undefined;
  /** Unix time in ms when it was deleted. */
  readonly endedMs: number | undefined;
}

/** A Node, cut to what identity needs. */
export interface NodeRecord {
  readonly uid: string;
  readonly name: string;
  /** Label `topology.kubernetes.io/zone`. */
  readonly zone: string | undefined;
  /** Unix time in ms since which the Ready condition is not True. */
  readonly notReadySinceMs: number | undefined;
  /** `spec.unschedulable`. */
  readonly cordoned: boolean;
  /** Unix time in ms when it was found gone. */
  readonly endedMs: number | undefined;
}
