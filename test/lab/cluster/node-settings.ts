import { existsSync } from "node:fs";
import { join } from "node:path";
import { PAUSE_IMAGE } from "./images.ts";
import { CLUSTER_DOMAIN, CLUSTER_RANGE, NODE_A, type NodePlan } from "./plan.ts";

/** Where the programs of a node find and keep things. */
export interface NodeDirs {
  /** Configuration and logs. */
  readonly dir: string;
  /** A file system in memory that only the node's programs see. */
  readonly state: string;
  /** Kubeconfigs and certificates. */
  readonly pki: string;
}

/** Pods of a node share few addresses, so that one is taken again soon. */
const ADDRESSES_OF_A_NODE = 40;

/** Name of the plugin of one-segment.ts, in `cni-bin` of a node's directory. */
export const ONE_SEGMENT = "one-segment";

/** The container network of a node: a bridge with both families. */
export function cniSettings(
  { podRange }: NodePlan,
  { state }: NodeDirs,
  { oneSegment }: { readonly oneSegment: boolean },
): object {
  const ranges = [podRange.v4, podRange.v6].map((subnet) => {
    const prefix = subnet.replace(/0?\/\d+$/, "");
    const last = subnet.includes(":") ? ADDRESSES_OF_A_NODE.toString(16) : ADDRESSES_OF_A_NODE;
    return [{ subnet, rangeStart: `${prefix}2`, rangeEnd: `${prefix}${last}` }];
  });
  const ipam = {
    type: "host-local",
    dataDir: join(state, "ipam"),
    ranges,
    routes: [{ dst: "0.0.0.0/0" }, { dst: "::/0" }],
  };
  const bridge = { type: "bridge", bridge: "cni0", isGateway: true, hairpinMode: true, ipam };
  return {
    cniVersion: "0.4.0",
    name: "lab",
    plugins: [bridge, ...(oneSegment ? [{ type: ONE_SEGMENT }] : [])],
  };
}

export function containerdSettings({ dir, state }: NodeDirs): string {
  return `version = 3
root = "${containerdRoot({ state })}"
state = "${state}/containerd-run"
[debug]
  level = "warn"
[grpc]
  address = "${containerdSocket({ state })}"
[plugins."io.containerd.internal.v1.opt"]
  path = "${state}/opt"
[plugins."io.containerd.nri.v1.nri"]
  disable = true
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "${PAUSE_IMAGE}"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true   # root without CAP_SYS_RESOURCE: without this runc dies before the container starts
  enable_cdi = false
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["/usr/lib/cni", "${dir}/cni-bin"]
    conf_dir = "${dir}/cni"
`;
}

export function containerdRoot({ state }: Pick<NodeDirs, "state">): string {
  return join(state, "containerd");
}

export function containerdSocket({ state }: Pick<NodeDirs, "state">): string {
  return join(state, "containerd.sock");
}

/** Where kubelet looks for pods of its own, in a node's directory. */
export function staticPodDir(dir: string): string {
  return join(dir, "static-pods");
}

export function kubeletSettings(
  { name }: NodePlan,
  { dir, state, pki }: NodeDirs,
  { cgroupRoot = "/" }: { readonly cgroupRoot?: string },
): object {
  const cgroupV1 = !existsSync("/sys/fs/cgroup/cgroup.controllers");
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    cgroupDriver: "cgroupfs",
    cgroupRoot,
    staticPodPath: staticPodDir(dir),
    ...(cgroupV1 ? { failCgroupV1: false } : {}),
    failSwapOn: false,
    containerRuntimeEndpoint: `unix://${containerdSocket({ state })}`,
    authentication: {
      x509: { clientCAFile: join(pki, "ca.crt") },
      webhook: { enabled: true },
      anonymous: { enabled: false },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: join(pki, `${name}.crt`),
    tlsPrivateKeyFile: join(pki, `${name}.key`),
    healthzPort: 0,
    makeIPTablesUtilChains: false, // nobody would take them away
    serializeImagePulls: false,
    localStorageCapacityIsolation: false,
    runtimeRequestTimeout: "5m",
    // Where service-names.ts may answer; without it pods know addresses alone.
    clusterDNS: [NODE_A.address.v4],
    clusterDomain: CLUSTER_DOMAIN,
    volumePluginDir: join(state, "volume-plugins"),
    evictionHard: { "memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
    // One pod after the other must not wait for kubelet's own caution.
    kubeAPIQPS: 100,
    kubeAPIBurst: 200,
  };
}

/** The timeouts of 0 leave the kernel's own connection tracking settings alone. */
export function kubeProxySettings(
  { name }: NodePlan,
  { kubeconfig }: { readonly kubeconfig: string },
): object {
  return {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    mode: "nftables",
    clientConnection: { kubeconfig },
    hostnameOverride: name,
    clusterCIDR: `${CLUSTER_RANGE.v4},${CLUSTER_RANGE.v6}`,
    healthzBindAddress: "",
    metricsBindAddress: "127.0.0.1:19996",
    conntrack: { maxPerCore: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
    nftables: { minSyncPeriod: "2s" }, // emulated, a pass takes a second of a processor
  };
}

/** A containerd without Kubernetes: for images, and containers that ctr runs. */
export function bareContainerdToml(own: {
  readonly root: string;
  readonly state: string;
  readonly socket: string;
}): string {
  return `version = 3
root = "${own.root}"
state = "${own.state}"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime"]
[grpc]
  address = "${own.socket}"
[plugins."io.containerd.internal.v1.opt"]
  path = "${own.state}/opt"
[plugins."io.containerd.nri.v1.nri"]
  disable = true
`;
}
