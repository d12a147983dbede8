import { readFileSync, writeFileSync } from "node:fs";
import { run } from "../run.ts";
import {
  type DualStack,
  LINK_RANGE,
  NESTED_LINK,
  NESTED_NODES,
  NODE_A,
  NODE_B,
  OUTSIDE,
  WIRE,
} from "./plan.ts";

/** What a node needs of its kernel, and what kubelet and kube-proxy write on their own: all put back afterwards. */
const SETTINGS = [
  "net/ipv4/ip_forward",
  "net/ipv6/conf/all/forwarding",
  "net/ipv6/conf/default/forwarding",
  "net/ipv4/conf/all/route_localnet",
  "net/ipv4/vs/conntrack",
  "net/netfilter/nf_conntrack_max",
  "net/netfilter/nf_conntrack_tcp_timeout_established",
  "net/netfilter/nf_conntrack_tcp_timeout_close_wait",
  "net/netfilter/nf_conntrack_tcp_be_liberal",
  "vm/overcommit_memory",
  "vm/panic_on_oom",
  "kernel/panic",
  "kernel/panic_on_oops",
  "kernel/keys/root_maxkeys",
  "kernel/keys/root_maxbytes",
];

/** This machine's part of the cluster's network: addresses of node-a, the wire to node-b, and the outside. */
export async function createHostNetwork(): Promise<AsyncDisposable> {
  await removeHostNetwork();
  await using undo = new AsyncDisposableStack();
  const saved = SETTINGS.map((name) => [name, readSetting(name)] as const);
  undo.defer(async () => {
    for (const [name, value] of saved) if (readSetting(name) !== value) writeSetting(name, value ?? "");
  });
  undo.defer(removeHostNetwork);
  writeSetting("net/ipv4/ip_forward", "1");
  writeSetting("net/ipv6/conf/all/forwarding", "1");
  await ip(`addr add ${NODE_A.address.v4}/32 dev lo`);
  await ip(`addr add ${NODE_A.address.v6}/128 dev lo nodad`);
  await createWire();
  await createOutside();
  const owned = undo.move();
  return { [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Takes away whatever of it there is: of this run, or of one that was killed. */
export async function removeHostNetwork(): Promise<void> {
  const steps = [
    `addr del ${NODE_A.address.v4}/32 dev lo`,
    `addr del ${NODE_A.address.v6}/128 dev lo`,
    `link del ${WIRE.link}`,
    `link del ${OUTSIDE.link}`,
    `netns del ${WIRE.netns}`,
    `netns del ${OUTSIDE.netns}`,
  ];
  for (const step of steps) await ip(step).catch(() => {});
}

/** A namespace between the nodes, where packets can be lost after one node has sent and before the other has them. */
async function createWire(): Promise<void> {
  const { netns, link, tap } = WIRE;
  await ip(`netns add ${netns}`);
  await ip(`link add ${link} type veth peer name uplink netns ${netns}`);
  await addAddresses(link, NODE_A.link, LINK_RANGE);
  await ip(`link set ${link} up`);
  await ip(`-n ${netns} tuntap add ${tap} mode tap vnet_hdr`);
  await ip(`-n ${netns} link add br0 type bridge`);
  for (const port of ["uplink", tap]) await ip(`-n ${netns} link set ${port} master br0 up`);
  await ip(`-n ${netns} link set br0 up`);
  const behind = [NODE_B, ...NESTED_NODES].map(({ podRange }) => podRange);
  for (const { v4, v6 } of [...behind, NESTED_LINK.range]) {
    await ip(`route add ${v4} via ${NODE_B.link.v4}`);
    await ip(`route add ${v6} via ${NODE_B.link.v6}`);
  }
}

async function createOutside(): Promise<void> {
  const { netns, link, gateway, address } = OUTSIDE;
  await ip(`netns add ${netns}`);
  await ip(`link add ${link} type veth peer name eth0 netns ${netns}`);
  await addAddresses(link, gateway, { v4: "/24", v6: "/64" });
  await ip(`link set ${link} up`);
  await ip(`-n ${netns} link set lo up`);
  await ip(`-n ${netns} addr add ${address.v4}/24 dev eth0`);
  await ip(`-n ${netns} addr add ${address.v6}/64 dev eth0 nodad`);
  await ip(`-n ${netns} link set eth0 up`);
  await ip(`-n ${netns} route add default via ${gateway.v4}`);
  await ip(`-n ${netns} route add default via ${gateway.v6}`);
}

/** `range` tells the prefix lengths. */
async function addAddresses(link: string, address: DualStack, range: DualStack): Promise<void> {
  await ip(`addr add ${address.v4}${/\/\d+$/.exec(range.v4)?.[0]} dev ${link}`);
  await ip(`addr add ${address.v6}${/\/\d+$/.exec(range.v6)?.[0]} dev ${link} nodad`);
}

async function ip(args: string): Promise<void> {
  await run("ip", args.split(" "));
}

function readSetting(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name}`, "utf8").trim();
  } catch {
    return undefined; // not on this kernel
  }
}

function writeSetting(name: string, value: string): void {
  writeFileSync(`/proc/sys/${name}`, value);
}
