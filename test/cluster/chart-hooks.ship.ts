import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { CHART, RELEASE } from "../chart/render.ts";
import { LabApiServer } from "../lab/api-server.ts";

const PORTS = [22579, 22580, 26643] as const;
const PATIENCE_MS = 30_000;

/** Everything that the chart and Helm make in a namespace, and beside it. */
const COLLECTIONS = [
  ...["configmaps", "secrets", "services", "serviceaccounts", "pods"].map((plural) => `/api/v1/#/${plural}`),
  ...["daemonsets", "deployments"].map((plural) => `/apis/apps/v1/#/${plural}`),
  "/apis/batch/v1/#/jobs",
  ...["roles", "rolebindings"].map((plural) => `/apis/rbac.authorization.k8s.io/v1/#/${plural}`),
].map((path) => path.replace("#", `namespaces/${RELEASE.namespace}`));
const WIDE = ["clusterroles", "clusterrolebindings"].map(
  (plural) => `/apis/rbac.authorization.k8s.io/v1/${plural}`,
);
const APPS = `/apis/apps/v1/namespaces/${RELEASE.namespace}/daemonsets`;
const JOB = `/apis/batch/v1/namespaces/${RELEASE.namespace}/jobs/${RELEASE.name}-tcpretrans-cleanup`;

let lab: LabApiServer;

before(async () => {
  const bin = process.env["LAB_BIN"];
  if (bin === undefined) throw new Error("LAB_BIN must name a directory with kube-apiserver and etcd");
  lab = await LabApiServer.start({ bin, ports: PORTS, args: ["--allow-privileged=true"] });
  await lab.create("/api/v1/namespaces", { metadata: { name: RELEASE.namespace } });
});

after(async () => await lab?.stop());

for (const variable of ["HELM3", "HELM4"] as const) {
  test(`uninstalling with ${variable} makes the cleaner, waits for its Job, and leaves nothing`, async () => {
    const helm = process.env[variable] ?? variable.toLowerCase();
    const before = await inventory();
    const installed = await runHelm(helm, ["install", RELEASE.name, CHART]);
    assert.equal(installed.code, 0, installed.said);
    assert.deepEqual(await namesAt(APPS), [`${RELEASE.name}-tcpretrans`]);
    const uninstalling = runHelm(helm, ["uninstall", RELEASE.name, "--timeout", "60s"]);
    await until(async () => (await lab.ask("GET", JOB)).status === 200);
    assert.deepEqual(
      await namesAt(APPS),
      [`${RELEASE.name}-tcpretrans-cleanup`],
      "the agents are gone before",
    );
    await completeJob();
    const { code, said } = await uninstalling;
    assert.equal(code, 0, said);
    await until(async () => JSON.stringify(await inventory()) === JSON.stringify(before));
  });

  test(`uninstalling with ${variable} and cleanup.enabled false makes nothing`, async () => {
    const helm = process.env[variable] ?? variable.toLowerCase();
    const before = await inventory();
    const installed = await runHelm(helm, ["install", RELEASE.name, CHART, "--set", "cleanup.enabled=false"]);
    assert.equal(installed.code, 0, installed.said);
    const { code, said } = await runHelm(helm, ["uninstall", RELEASE.name]);
    assert.equal(code, 0, said);
    await until(async () => JSON.stringify(await inventory()) === JSON.stringify(before));
  });
}

async function runHelm(helm: string, args: readonly string[]): Promise<{ code: number; said: string }> {
  const place = ["--namespace", RELEASE.namespace, "--kubeconfig", lab.kubeconfig("admin")];
  const child = spawn(helm, [...args, ...place], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (said += text));
  const [code] = await once(child, "close");
  return { code, said };
}

/** What the Job's controller writes when its pod has ended well: there is none here. */
async function completeJob(): Promise<void> {
  const { text } = await lab.ask("GET", JOB);
  const job = JSON.parse(text);
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  const condition = (type: string) => ({ type, status: "True", lastProbeTime: now, lastTransitionTime: now });
  job.status = {
    startTime: now,
    completionTime: now,
    succeeded: 1,
    conditions: [condition("SuccessCriteriaMet"), condition("Complete")],
  };
  const { status, text: answer } = await lab.ask("PUT", `${JOB}/status`, job);
  assert.equal(status, 200, answer);
}

async function inventory(): Promise<Readonly<Record<string, readonly string[]>>> {
  const paths = [...COLLECTIONS, ...WIDE];
  const lists = await Promise.all(paths.map(async (path) => [path, await namesAt(path)] as const));
  return Object.fromEntries(lists);
}

async function namesAt(path: string): Promise<readonly string[]> {
  const { text } = await lab.ask("GET", path);
  const { items } = JSON.parse(text) as { items: readonly { metadata: { name: string } }[] };
  return items.map(({ metadata }) => metadata.name).toSorted();
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const last = performance.now() + PATIENCE_MS; !(await isSo()); await sleep(100)) {
    if (performance.now() > last)
      throw new Error(`It did not come to pass: ${JSON.stringify(await inventory())}`);
  }
}
