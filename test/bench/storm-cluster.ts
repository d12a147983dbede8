import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { LabApiServer } from "../lab/api-server.ts";
import { goTools } from "../lab/cluster/go-tools.ts";
import { labDir } from "../lab/lab-dir.ts";
import { ApiFiller } from "./fill-api-server.ts";
import { clusterOf, nodeName } from "./real-objects.ts";
import { STORM_ADDRESSES } from "./storm.ts";

/** A thousand pods behind a real API server, two of them with the addresses of the storm's ends, and a collector. */
export interface StormCluster {
  readonly kubeconfig: string;
  /** Where the storm's sender is. */
  readonly node: string;
  /** OTLP by gRPC. */
  readonly collector: string;
}

const PORTS = [23_389, 23_390, 27_453] as const;
const PODS = 1000;
const NAMESPACE = "/api/v1/namespaces/team-1/pods";

/** Starts API server and collector; what undoes it goes on the stack. */
export async function openStormCluster(undo: AsyncDisposableStack): Promise<StormCluster> {
  const bin = await goTools(labDir(process.env), console.log);
  const server = undo.use(await LabApiServer.start({ bin, ports: PORTS }));
  const filler = undo.use(new ApiFiller(server, PORTS[0]));
  await filler.grow(clusterOf(PODS));
  for (const [i, address] of STORM_ADDRESSES.entries()) await createPod(server, `storm-${i}`, { i, address });
  return { kubeconfig: server.kubeconfig("admin"), node: nodeName(1), collector: await openCollector(undo) };
}

async function createPod(
  server: LabApiServer,
  name: string,
  { i, address }: { readonly i: number; readonly address: string },
): Promise<void> {
  const pod = {
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "team-1" } },
    spec: { nodeName: nodeName(1 + i), containers: [{ name: "server", image: "registry.example/server" }] },
  };
  await server.create(NAMESPACE, pod);
  const status = {
    phase: "Running",
    podIP: address,
    podIPs: [{ ip: address }],
    startTime: "2026-11-22T08:00:00Z",
  };
  const answer = await server.ask("PUT", `${NAMESPACE}/${name}/status`, { ...pod, status });
  if (answer.status !== 200) throw new Error(`Cannot give ${name} its address: ${answer.text}`);
}

async function openCollector(undo: AsyncDisposableStack): Promise<string> {
  const child = fork(join(import.meta.dirname, "take-all.ts"), {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  undo.defer(() => void child.disconnect());
  if (child.stdout === null) throw new TypeError("The collector has no output");
  const [port] = await once(child.stdout.setEncoding("latin1"), "data");
  return `http://127.0.0.1:${String(port).trim()}`;
}
