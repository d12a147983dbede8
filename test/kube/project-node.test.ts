import assert from "node:assert/strict";
import { test } from "node:test";
import { projectNode } from "../../src/kube/project-node.ts";

const NODE = {
  metadata: {
    uid: "u",
    name: "node-b",
    labels: { "topology.kubernetes.io/zone": "zone-1" },
    annotations: { "node.alpha.kubernetes.io/ttl": "0" },
  },
  spec: { podCIDR: "10.0.2.0/24", podCIDRs: ["10.0.2.0/24", "fd00:10:2::/64"], unschedulable: true },
  status: {
    addresses: [
      { type: "InternalIP", address: "172.16.0.2" },
      { type: "InternalIP", address: "FD00:99::2" },
      { type: "Hostname", address: "node-b" },
    ],
    conditions: [
      { type: "MemoryPressure", status: "False", lastTransitionTime: "1970-01-01T00:01:00Z" },
      { type: "Ready", status: "Unknown", lastTransitionTime: "1970-01-01T00:20:00Z" },
    ],
  },
};

test("projectNode() keeps addresses, ranges, zone and state", () => {
  assert.deepEqual(projectNode(NODE), {
    uid: "u",
    name: "node-b",
    zone: "zone-1",
    cordoned: true,
    notReadySeconds: 1200,
    addresses: ["172.16.0.2", "fd00:99::2", "10.0.2.1", "fd00:10:2::1"],
    podCidrs: ["10.0.2.0/24", "fd00:10:2::/64"],
    ownRanges: false,
  });
});

test("projectNode() has nothing to tell of a node that is ready or whose state is not told", () => {
  const conditions = [{ type: "Ready", status: "True", lastTransitionTime: "1970-01-01T00:20:00Z" }];
  assert.equal(projectNode({ ...NODE, status: { conditions } })?.notReadySeconds, undefined);
  assert.equal(projectNode({ ...NODE, status: {} })?.notReadySeconds, undefined);
});

/** What a CNI writes on a node, and which addresses it adds; whether it gives addresses outside the podCIDRs. */
const CNIS = [
  {
    name: "flannel",
    annotations: { "flannel.alpha.coreos.com/public-ip": "192.0.2.2" },
    addresses: ["192.0.2.2", "10.0.2.0", "10.0.2.1"],
    ownRanges: false,
  },
  {
    name: "Calico",
    annotations: {
      "projectcalico.org/IPv4Address": "172.16.0.2/24",
      "projectcalico.org/IPv4IPIPTunnelAddr": "10.99.7.64",
      "projectcalico.org/IPv6VXLANTunnelAddr": "fd00:cafe::40",
    },
    addresses: ["172.16.0.2", "10.99.7.64", "fd00:cafe::40"],
    ownRanges: true,
  },
  {
    name: "Cilium",
    annotations: {
      "network.cilium.io/ipv4-cilium-host": "10.98.1.17",
      "network.cilium.io/ipv6-cilium-host": "fd00:98::17",
    },
    addresses: ["10.98.1.17", "fd00:98::17"],
    ownRanges: true,
  },
  {
    name: "OVN-Kubernetes",
    annotations: {
      "k8s.ovn.org/node-gateway-router-lrp-ifaddr": '{"ipv4":"100.64.0.2/16","ipv6":"fd98::2/64"}',
      "k8s.ovn.org/node-gateway-router-lrp-ifaddrs": '{"default":{"ipv4":"100.64.0.3/16"}}',
      "k8s.ovn.org/node-transit-switch-port-ifaddr": "not JSON",
    },
    addresses: ["100.64.0.2", "fd98::2", "100.64.0.3"],
    ownRanges: true,
  },
];

for (const { name, annotations, addresses, ownRanges } of CNIS) {
  test(`projectNode() knows the addresses that ${name} gives to a node`, () => {
    const node = projectNode({
      metadata: { uid: "u", name: "n", annotations },
      spec: { podCIDR: "10.0.2.0/24" },
    });
    assert.deepEqual(node?.addresses, addresses);
    assert.equal(node?.ownRanges, ownRanges);
  });
}
