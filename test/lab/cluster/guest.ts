import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { basename, join } from "node:path";
import { run } from "../run.ts";
import {
  GUEST_OUT_DIR,
  type GuestAnswer,
  type GuestOrder,
  guestNodeDir,
  type NestedAnswer,
} from "./guest-protocol.ts";
import { createNestedLink, nestedSpaces } from "./nested-spaces.ts";
import { ClusterNode, type NodeOrder } from "./node.ts";
import { LINK_RANGE, NESTED_LINK, NESTED_NODES, NODE_A, NODE_B } from "./plan.ts";
import { LocalRunner } from "./program-runner.ts";

const CGROUPS = "/sys/fs/cgroup";

const started = performance.now();
const say = (text: string) => console.log(`${((performance.now() - started) / 1000).toFixed(1)} s: ${text}`);

/** Runs in the virtual machine as its one program: makes it a node, then does what the test asks until it is told to end. */
async function main(): Promise<void> {
  const order: GuestOrder = JSON.parse(readFileSync(join(GUEST_OUT_DIR, "order.json"), "utf8"));
  await joinNetwork();
  delegateControllers();
  await run("mount", ["-t", "tracefs", "tracefs", "/sys/kernel/tracing"]);
  writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
  writeFileSync("/proc/sys/net/ipv6/conf/all/forwarding", "1");
  say("on the network");
  const ended = Promise.withResolvers<void>();
  const runner = new LocalRunner();
  const node = Promise.withResolvers<ClusterNode>();
  let nested: Promise<NestedAnswer> | undefined;
  const answers: Readonly<Record<string, (body: string) => Promise<unknown>>> = {
    "/clock": async (unixMs) => run("date", ["-s", `@${Number(unixMs) / 1000}`]),
    "/node": async () => (await node.promise).entry,
    "/nested": async (body) => (nested ??= startNested(JSON.parse(body))),
    "/exec": (body) => runner.exec(JSON.parse(body)),
    "/start": (body) => runner.start(JSON.parse(body)),
    "/stop": (body) => runner.stop(...(JSON.parse(body) as [string, NodeJS.Signals])),
    "/end": async () => ended.resolve(),
  };
  const server = createServer((call, response) => void answer(answers, call, response));
  server.listen(order.port, NODE_B.address.v4, () => say("control is open"));
  const dir = guestNodeDir(NODE_B);
  mkdirSync(dir);
  ClusterNode.start({ ...order, dir }).then(node.resolve, node.reject);
  node.promise.then(
    () => say("node programs run"),
    (error: unknown) => say(`no node: ${error}`),
  );
  await ended.promise;
  await runner.stopAll();
  const logs = join(GUEST_OUT_DIR, "log");
  mkdirSync(logs, { recursive: true });
  for (const dir of [NODE_B, ...NESTED_NODES].map(guestNodeDir)) {
    if (!existsSync(dir)) continue;
    for (const name of readdirSync(join(dir, "log")))
      writeFileSync(join(logs, `${basename(dir)}-${name}`), readFileSync(join(dir, "log", name)));
  }
}

/** Starts nodes that share this kernel; gives the entry of each. */
async function startNested(orders: readonly Omit<NodeOrder, "dir">[]): Promise<NestedAnswer> {
  await createNestedLink(NESTED_LINK);
  const entries: NestedAnswer = {};
  for (const order of orders) {
    const siblings = orders.filter((other) => other !== order).map(({ plan }) => plan);
    const dir = guestNodeDir(order.plan);
    const node = await ClusterNode.start({ ...order, dir }, (dirs) =>
      nestedSpaces(order.plan, siblings, dirs),
    );
    entries[order.plan.name] = node.entry;
    say(`${order.plan.name}'s programs run`);
  }
  return entries;
}

async function joinNetwork(): Promise<void> {
  await run("modprobe", ["virtio_net"]);
  const [length4, length6] = [LINK_RANGE.v4, LINK_RANGE.v6].map((range) => range.split("/")[1]);
  const steps = [
    `addr add ${NODE_B.address.v4}/${length4} dev eth0`,
    `addr add ${NODE_B.address.v6}/${length6} dev eth0 nodad`,
    "link set eth0 up",
    `route add default via ${NODE_A.link.v4}`,
    `route add default via ${NODE_A.link.v6}`,
  ];
  for (const step of steps) await run("ip", step.split(" "));
}

/** Processes leave the root cgroup, or it could give no controller to pods. */
function delegateControllers(): void {
  mkdirSync(join(CGROUPS, "init"));
  for (const pid of readFileSync(join(CGROUPS, "cgroup.procs"), "utf8").split("\n").filter(Boolean)) {
    try {
      writeFileSync(join(CGROUPS, "init/cgroup.procs"), pid);
    } catch {
      // a kernel thread
    }
  }
  for (const name of ["cpu", "cpuset", "memory", "pids", "io"])
    writeFileSync(join(CGROUPS, "cgroup.subtree_control"), `+${name}`);
  writeFileSync(join(CGROUPS, "init/cpu.weight"), "1000"); // emulated, pods would take the node's programs' time
}

async function answer(
  answers: Readonly<Record<string, (body: string) => Promise<unknown>>>,
  call: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let body = "";
  for await (const chunk of call) body += chunk;
  let reply: GuestAnswer;
  try {
    reply = { value: await answers[call.url ?? ""]?.(body) };
  } catch (error) {
    reply = { error: error instanceof Error ? error.message : String(error) };
  }
  response.end(JSON.stringify(reply));
}

await main();
process.exit(0);
