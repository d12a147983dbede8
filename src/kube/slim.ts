import type { ServiceNaming, Workload } from "../event/cluster.ts";

/** A pod as one object of the API tells it; times in Unix seconds, addresses in the form of event/ip-address.ts. */
export interface SlimPod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly nodeName: string | undefined;
  readonly hostNetwork: boolean;
  /** `status.podIPs`; of a pod on its node's network too. */
  readonly addresses: readonly string[];
  readonly workload: Workload;
  readonly naming: ServiceNaming | undefined;
  readonly containers: ReadonlyMap<string, string> | undefined;
  readonly hostPorts: readonly HostPort[];
  /** What a static pod's cgroup is named after. */
  readonly configHash: string | undefined;
  /** Phase Succeeded or Failed. */
  readonly terminal: boolean;
  /** It may end without anybody's asking: its restart policy is not Always. */
  readonly endsByItself: boolean;
  readonly ready: boolean;
  readonly readySeconds: number | undefined;
  /** The kubelet took it up; else its creation. */
  readonly startSeconds: number | undefined;
  /** Its sandbox has had a network since. */
  readonly networkSeconds: number | undefined;
  /** Its sandbox has been gone since. */
  readonly networkGoneSeconds: number | undefined;
  /** The last of its containers to finish did so then. */
  readonly finishedSeconds: number | undefined;
  /** Every container that it has told of is finished. */
  readonly finished: boolean;
  /** Somebody asked then for its deletion. */
  readonly terminatingSeconds: number | undefined;
  /** Its last change that says when it was; undefined where the server keeps no record of changes. */
  readonly writtenSeconds: number | undefined;
}

/** A TCP port of a node that leads to a pod; on one address of the node only where that is given. */
export interface HostPort {
  readonly port: number;
  readonly address: string | undefined;
}

/** A Service as one object of the API tells it. */
export interface SlimService {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly createdSeconds: number | undefined;
  /** Addresses that are its alone; none of a headless one. */
  readonly clusterAddresses: readonly string[];
  /** Load balancer ingress and external IPs, which services may share: only together with a port. */
  readonly sharedAddresses: readonly string[];
  readonly ports: readonly number[];
  readonly nodePorts: readonly number[];
}

/** An EndpointSlice as one object of the API tells it. */
export interface SlimEndpointSlice {
  readonly uid: string;
  readonly namespace: string;
  /** Of the label `kubernetes.io/service-name`. */
  readonly service: string;
  /** TCP ports; undefined stands for all. */
  readonly ports: readonly number[] | undefined;
  readonly endpoints: readonly SlimEndpoint[];
  /** Annotation `endpoints.kubernetes.io/last-change-trigger-time`, in Unix seconds. */
  readonly changedSeconds: number | undefined;
}

export interface SlimEndpoint {
  readonly address: string;
  readonly ready: boolean;
  /** Undefined where the endpoint refers to no pod. */
  readonly podUid: string | undefined;
}

/** A Node as one object of the API tells it. */
export interface SlimNode {
  readonly uid: string;
  readonly name: string;
  readonly zone: string | undefined;
  readonly cordoned: boolean;
  readonly notReadySeconds: number | undefined;
  readonly addresses: readonly string[];
  /** Ranges that its pods' addresses come from, as far as its CNI keeps to them. */
  readonly podCidrs: readonly string[];
  /** Its CNI is one that gives addresses outside `podCidrs`. */
  readonly ownRanges: boolean;
}

/** A ServiceCIDR as one object of the API tells it. */
export interface SlimServiceCidr {
  readonly uid: string;
  readonly cidrs: readonly string[];
}
