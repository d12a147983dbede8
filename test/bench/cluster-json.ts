/** Objects of a simulated cluster as an API server writes them, cut to the fields that are looked at and a few more. */
const PODS_PER_NODE = 30;
const PODS_PER_SERVICE = 6;

/** Pod `i`: thirty to a node, six to a Deployment, with names as the controllers make them. */
export function podJson(i: number): string {
  const workload = Math.floor(i / PODS_PER_SERVICE);
  const name = `checkout-backend-${workload}`;
  const hash = (workload * 7919 + 1_000_000_000).toString(36).padStart(10, "5").slice(0, 10);
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `${name}-${hash}-${(i * 31 + 60_466_176).toString(36).slice(-5)}`,
      generateName: `${name}-${hash}-`,
      namespace: `team-${workload % 200}`,
      uid: uid(1, i),
      resourceVersion: String(100_000 + i),
      creationTimestamp: "2026-11-22T08:00:00Z",
      labels: {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/part-of": "shop",
        "pod-template-hash": hash,
      },
      annotations: { "kubectl.kubernetes.io/restartedAt": "2026-11-22T07:59:59Z" },
      ownerReferences: [
        {
          apiVersion: "apps/v1",
          kind: "ReplicaSet",
          name: `${name}-${hash}`,
          uid: uid(2, workload),
          controller: true,
        },
      ],
    },
    spec: {
      nodeName: nodeName(Math.floor(i / PODS_PER_NODE)),
      restartPolicy: "Always",
      containers: [
        { name: "server", image: "registry/app:1", ports: [{ containerPort: 8080, protocol: "TCP" }] },
      ],
    },
    status: {
      phase: "Running",
      conditions: [
        { type: "PodReadyToStartContainers", status: "True", lastTransitionTime: "2026-11-22T08:00:02Z" },
        { type: "Ready", status: "True", lastTransitionTime: "2026-11-22T08:00:07Z" },
      ],
      hostIP: nodeAddress(Math.floor(i / PODS_PER_NODE)),
      podIP: podAddress(i),
      podIPs: [{ ip: podAddress(i) }],
      startTime: "2026-11-22T08:00:01Z",
      containerStatuses: [
        {
          name: "server",
          ready: true,
          state: { running: { startedAt: "2026-11-22T08:00:03Z" } },
          containerID: `containerd://${uid(3, i).replaceAll("-", "")}${uid(4, i).replaceAll("-", "")}`,
        },
      ],
    },
  });
}

export function serviceJson(i: number): string {
  return JSON.stringify({
    metadata: {
      name: `checkout-backend-${i}`,
      namespace: `team-${i % 200}`,
      uid: uid(5, i),
      creationTimestamp: "2026-11-22T07:00:00Z",
    },
    spec: {
      clusterIP: serviceAddress(i),
      clusterIPs: [serviceAddress(i)],
      type: "ClusterIP",
      selector: { app: "x" },
      ports: [{ name: "http", protocol: "TCP", port: 80, targetPort: 8080 }],
    },
    status: { loadBalancer: {} },
  });
}

/** The slice of service `i` with its six pods. */
export function sliceJson(i: number): string {
  const pods = Array.from({ length: PODS_PER_SERVICE }, (_, k) => i * PODS_PER_SERVICE + k);
  return JSON.stringify({
    metadata: {
      name: `checkout-backend-${i}-x7k2p`,
      namespace: `team-${i % 200}`,
      uid: uid(6, i),
      labels: { "kubernetes.io/service-name": `checkout-backend-${i}` },
    },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints: pods.map((pod) => ({
      addresses: [podAddress(pod)],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: nodeName(Math.floor(pod / PODS_PER_NODE)),
      targetRef: { kind: "Pod", namespace: `team-${i % 200}`, name: "x", uid: uid(1, pod) },
      zone: "zone-a",
    })),
  });
}

export function nodeJson(i: number): string {
  return JSON.stringify({
    metadata: {
      name: nodeName(i),
      uid: uid(7, i),
      labels: { "topology.kubernetes.io/zone": `zone-${i % 3}` },
    },
    spec: {
      podCIDR: `10.${64 + (i >> 8)}.${i & 255}.0/24`,
      podCIDRs: [`10.${64 + (i >> 8)}.${i & 255}.0/24`],
    },
    status: {
      addresses: [
        { type: "InternalIP", address: nodeAddress(i) },
        { type: "Hostname", address: nodeName(i) },
      ],
      conditions: [{ type: "Ready", status: "True", lastTransitionTime: "2026-11-01T00:00:00Z" }],
    },
  });
}

export function podAddress(i: number): string {
  const node = Math.floor(i / PODS_PER_NODE);
  return `10.${64 + (node >> 8)}.${node & 255}.${2 + (i % PODS_PER_NODE)}`;
}

export function serviceAddress(i: number): string {
  return `10.32.${i >> 8}.${i & 255}`;
}

function nodeName(i: number): string {
  return `node-${String(i).padStart(4, "0")}`;
}

function nodeAddress(i: number): string {
  return `172.16.${i >> 8}.${i & 255}`;
}

/** A uid of a kind and number, with the length that uids have. */
function uid(kind: number, i: number): string {
  const hex = ((i + 1) * 2_654_435_761).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${kind}abc-4def-8abc-${String(i).padStart(12, "0")}`;
}
