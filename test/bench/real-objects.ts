/** Objects of a simulated cluster as controllers and kubelets write them; the API server adds the rest. */
const PODS_PER_NODE = 30;
const PODS_PER_SERVICE = 6;
const NAMESPACES = 200;

/** A simulated cluster: thirty pods to a node, six to a service. */
export interface ClusterSize {
  readonly pods: number;
  readonly services: number;
  readonly nodes: number;
}

export function clusterOf(pods: number): ClusterSize {
  return {
    pods,
    services: Math.ceil(pods / PODS_PER_SERVICE),
    nodes: Math.ceil(pods / PODS_PER_NODE),
  };
}

export function podPath(i: number): string {
  return `/api/v1/namespaces/${podNamespace(i)}/pods`;
}

export function podName(i: number): string {
  return `${replicaSet(i)}-${(i * 31 + 60_466_176).toString(36).slice(-5)}`;
}

export function podNamespace(i: number): string {
  return namespaceName(Math.floor(i / PODS_PER_SERVICE));
}

export function podAddress(i: number): string {
  const node = Math.floor(i / PODS_PER_NODE);
  return `10.${64 + (node >> 8)}.${node & 255}.${2 + (i % PODS_PER_NODE)}`;
}

export function nodeName(i: number): string {
  return `node-${String(i).padStart(4, "0")}`;
}

export function namespaceName(i: number): string {
  return `team-${i % NAMESPACES}`;
}

export function serviceName(i: number): string {
  return `checkout-backend-${i}`;
}

/** Pod `i` as a ReplicaSet's controller writes it, with what admission adds; bound to its node. */
export function realPod(i: number): unknown {
  const workload = Math.floor(i / PODS_PER_SERVICE);
  const app = serviceName(workload);
  const labels = {
    app,
    "app.kubernetes.io/name": app,
    "app.kubernetes.io/part-of": "shop",
    "app.kubernetes.io/version": "2.14.1",
    "pod-template-hash": templateHash(workload),
  };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: podName(i),
      generateName: `${replicaSet(i)}-`,
      namespace: podNamespace(i),
      labels,
      annotations: {
        "kubectl.kubernetes.io/restartedAt": "2026-11-22T07:59:59Z",
        "checksum/config": checksum(workload),
      },
      ownerReferences: [
        {
          ...{ apiVersion: "apps/v1", kind: "ReplicaSet", name: replicaSet(i) },
          uid: ownerUid(workload),
          ...{ controller: true, blockOwnerDeletion: true },
        },
      ],
    },
    spec: {
      nodeName: nodeName(Math.floor(i / PODS_PER_NODE)),
      serviceAccountName: app,
      containers: [
        {
          ...container("server", "registry.example/shop/backend:2.14.1", 8080),
          readinessProbe: { httpGet: { path: "/healthz", port: 8080 }, periodSeconds: 10 },
        },
        container("proxy", "registry.example/mesh/proxy:1.27.0", 15_090),
      ],
      volumes: [
        {
          name: TOKEN,
          projected: {
            sources: [
              { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
              {
                configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] },
              },
            ],
          },
        },
      ],
    },
  };
}

const TOKEN = "kube-api-access-x7k2p";

function container(name: string, image: string, port: number) {
  return {
    ...{ name, image, imagePullPolicy: "IfNotPresent" },
    ports: [{ name: `${name}-port`, containerPort: port, protocol: "TCP" }],
    env: [{ name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }],
    resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "256Mi" } },
    volumeMounts: [
      { name: TOKEN, mountPath: "/var/run/secrets/kubernetes.io/serviceaccount", readOnly: true },
    ],
  };
}

/** What the kubelet writes when pod `i` is ready; `turn` makes it another time. */
export function realPodStatus(i: number, turn = 0): unknown {
  const node = Math.floor(i / PODS_PER_NODE);
  const at = (second: number) =>
    new Date(READY_MS + (second + turn) * 1000).toISOString().replace(".000", "");
  const condition = (type: string, second: number) => ({
    ...{ type, status: "True", lastProbeTime: null, lastTransitionTime: at(second) },
  });
  return {
    status: {
      phase: "Running",
      conditions: [
        condition("PodReadyToStartContainers", 2),
        condition("Initialized", 1),
        condition("Ready", 7),
        condition("ContainersReady", 7),
        condition("PodScheduled", 0),
      ],
      hostIP: nodeAddress(node),
      hostIPs: [{ ip: nodeAddress(node) }],
      podIP: podAddress(i),
      podIPs: [{ ip: podAddress(i) }],
      startTime: at(1),
      containerStatuses: [
        containerStatus("server", `registry.example/shop/backend:2.14.1`, { i, startedAt: at(3) }),
        containerStatus("proxy", "registry.example/mesh/proxy:1.27.0", { i, startedAt: at(3) }),
      ],
      qosClass: "Burstable",
    },
  };
}

const READY_MS = Date.parse("2026-11-22T08:00:00Z");

function containerStatus(
  name: string,
  image: string,
  { i, startedAt }: { readonly i: number; readonly startedAt: string },
) {
  return {
    ...{ name, image, ready: true, started: true, restartCount: 0 },
    state: { running: { startedAt } },
    lastState: {},
    imageID: `registry.example/shop/backend@sha256:${"4e".repeat(32)}`,
    containerID: containerId(i, name),
  };
}

/** Runtime and id, as the kubelet writes it. */
export function containerId(i: number, name: string): string {
  return `containerd://${(i + 1).toString(16).padStart(56, name === "server" ? "a" : "b")}00000000`;
}

export function realService(i: number): unknown {
  const app = serviceName(i);
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: app,
      namespace: namespaceName(i),
      labels: { app, "app.kubernetes.io/name": app, "app.kubernetes.io/part-of": "shop" },
    },
    spec: {
      clusterIP: serviceAddress(i),
      selector: { app },
      ports: [{ name: "http", protocol: "TCP", port: 80, targetPort: 8080 }],
    },
  };
}

/** The slice of service `i` with its six pods. */
export function realSlice(i: number): unknown {
  const app = serviceName(i);
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name: `${app}-x7k2p`,
      generateName: `${app}-`,
      namespace: namespaceName(i),
      labels: {
        app,
        "app.kubernetes.io/name": app,
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        "kubernetes.io/service-name": app,
      },
      annotations: { "endpoints.kubernetes.io/last-change-trigger-time": "2026-11-22T08:00:07Z" },
    },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints: Array.from({ length: PODS_PER_SERVICE }, (_, k) => {
      const pod = i * PODS_PER_SERVICE + k;
      const node = Math.floor(pod / PODS_PER_NODE);
      return {
        addresses: [podAddress(pod)],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: nodeName(node),
        targetRef: { kind: "Pod", namespace: podNamespace(pod), name: podName(pod), uid: podUid(pod) },
        zone: zoneOf(node),
      };
    }),
  };
}

/** A node as its kubelet writes it, with the images that it holds. */
export function realNode(i: number): unknown {
  const cidr = podCidr(i);
  const resources = { cpu: "16", memory: "65536Mi", pods: "110", "ephemeral-storage": "103079844Ki" };
  const condition = (type: string, status: string) => ({
    ...{ type, status, reason: `Kubelet${type}`, message: `kubelet has said ${type}` },
    lastHeartbeatTime: "2026-11-22T08:00:00Z",
    lastTransitionTime: "2026-11-01T00:00:00Z",
  });
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: nodeName(i),
      labels: {
        "beta.kubernetes.io/arch": "amd64",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": nodeName(i),
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": "m6.4xlarge",
        "topology.kubernetes.io/region": "region-1",
        "topology.kubernetes.io/zone": zoneOf(i),
      },
      annotations: { "volumes.kubernetes.io/controller-managed-attach-detach": "true" },
    },
    spec: {
      podCIDR: cidr,
      podCIDRs: [cidr],
      providerID: `cloud:///${zoneOf(i)}/i-${String(i).padStart(17, "0")}`,
    },
    status: {
      addresses: [
        { type: "InternalIP", address: nodeAddress(i) },
        { type: "Hostname", address: nodeName(i) },
      ],
      ...{ capacity: resources, allocatable: resources },
      conditions: [
        condition("MemoryPressure", "False"),
        condition("DiskPressure", "False"),
        condition("PIDPressure", "False"),
        condition("Ready", "True"),
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } },
      images: Array.from({ length: 25 }, (_, k) => ({
        names: [`registry.example/shop/image-${k}@sha256:${String(k).padStart(64, "7")}`],
        sizeBytes: 20_000_000 + k,
      })),
      nodeInfo: {
        architecture: "amd64",
        bootID: "0d1f0d54-8abc-4def-8abc-0123456789ab",
        containerRuntimeVersion: "containerd://2.4.2",
        kernelVersion: "6.12.107",
        kubeProxyVersion: "",
        kubeletVersion: "v1.36.3",
        machineID: "0d1f0d548abc4def8abc0123456789ab",
        operatingSystem: "linux",
        osImage: "Debian GNU/Linux 13 (trixie)",
        systemUUID: "0d1f0d54-8abc-4def-8abc-0123456789ab",
      },
    },
  };
}

/** Whatever is a pod's own in its JSON text, in a fixed order: a pod is made from another by putting its own in place. */
export function podTokens(i: number): readonly string[] {
  const workload = Math.floor(i / PODS_PER_SERVICE);
  return [
    ...[podName(i), replicaSet(i), serviceName(workload), podNamespace(i), templateHash(workload)],
    ...[podUid(i), ownerUid(workload), checksum(workload), podAddress(i)],
    ...[containerId(i, "server"), containerId(i, "proxy")],
    ...nodeTokens(Math.floor(i / PODS_PER_NODE)).slice(0, 3),
  ];
}

export function nodeTokens(i: number): readonly string[] {
  return [nodeName(i), nodeAddress(i), zoneOf(i), podCidr(i), uid(7, i)];
}

export function serviceTokens(i: number): readonly string[] {
  return [serviceName(i), namespaceName(i), uid(5, i), serviceAddress(i)];
}

/** Of the slice of service `i`. */
export function sliceTokens(i: number): readonly string[] {
  const pods = Array.from({ length: PODS_PER_SERVICE }, (_, k) => podTokens(i * PODS_PER_SERVICE + k));
  return [serviceName(i), namespaceName(i), uid(6, i), ...pods.flat()];
}

export function podUid(i: number): string {
  return uid(1, i);
}

/** ClusterIP of service `i`. */
export function serviceAddress(i: number): string {
  return `10.96.${64 + (i >> 8)}.${i & 255}`;
}

function replicaSet(i: number): string {
  const workload = Math.floor(i / PODS_PER_SERVICE);
  return `${serviceName(workload)}-${templateHash(workload)}`;
}

function templateHash(workload: number): string {
  return (workload * 7919 + 1_000_000_000).toString(36).padStart(10, "5").slice(0, 10);
}

function ownerUid(workload: number): string {
  return uid(2, workload);
}

function checksum(workload: number): string {
  return workload.toString(16).padStart(64, "5");
}

function nodeAddress(i: number): string {
  return `172.16.${i >> 8}.${i & 255}`;
}

function podCidr(i: number): string {
  return `10.${64 + (i >> 8)}.${i & 255}.0/24`;
}

function zoneOf(node: number): string {
  return `zone-${node % 3}`;
}

/** A uid of a kind and number, with the length that uids have. */
function uid(kind: number, i: number): string {
  const hex = ((i + 1) * 2_654_435_761).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${kind}abc-4def-8abc-${String(i).padStart(12, "0")}`;
}
