import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

const FILES = join(import.meta.dirname, "../../charts/tcpretrans/files");

let dir: string;
/** What the API server answers: one after the other, the last for good. */
let answers: unknown[] = [];
const asked: { url: string | undefined; authorization: string | undefined }[] = [];
let readyz = { status: 200, text: "ok\npump: ok: It ticks\n" };

const agent = createHttpServer((_, response) => void response.writeHead(readyz.status).end(readyz.text));
let api: ReturnType<typeof createHttpsServer>;

before(async () => {
  dir = mkdtempSync(join(tmpdir(), "tcpretrans-scripts-"));
  const [key, cert] = [join(dir, "key.pem"), join(dir, "cert.pem")];
  const subject = ["-subj", "/CN=api", "-addext", "subjectAltName=IP:127.0.0.1"];
  const make = [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-days",
    "2",
  ];
  execFileSync("openssl", [...make, ...subject, "-keyout", key, "-out", cert], { stdio: "ignore" });
  writeFileSync(join(dir, "token"), "a-token\n");
  api = createHttpsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
    asked.push({ url: request.url, authorization: request.headers.authorization });
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    response.end(JSON.stringify(answer));
  });
  agent.listen(0, "127.0.0.1");
  api.listen(0, "127.0.0.1");
  await Promise.all([once(agent, "listening"), once(api, "listening")]);
});

after(() => {
  agent.close();
  api.close();
  rmSync(dir, { recursive: true });
});

/** Runs a script as its pod does. */
async function runScript(file: string, env: Readonly<Record<string, string>>) {
  asked.length = 0;
  const text = readFileSync(join(FILES, file), "utf8");
  const child = spawn(process.execPath, ["--input-type=module", "--eval", text], {
    env: {
      KUBERNETES_SERVICE_HOST: "127.0.0.1",
      KUBERNETES_SERVICE_PORT: String((api.address() as AddressInfo).port),
      NODE_EXTRA_CA_CERTS: join(dir, "cert.pem"),
      TOKEN_FILE: join(dir, "token"),
      ...env,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => (said += part));
  const [code] = await once(child, "close");
  return { code, said };
}

const pods = (...names: readonly string[]) => ({
  items: names.map((name) => ({
    metadata: { name },
    spec: { nodeName: "node-a" },
    status: { podIP: "127.0.0.1" },
  })),
});

function testAgents() {
  const env = { PODS: "/pods", SELECTOR: "a=b,c=d", PORT: String((agent.address() as AddressInfo).port) };
  return runScript("each-agent-ready.js", env);
}

test("each-agent-ready.js asks every agent and is content when all are ready", async () => {
  answers = [pods("one", "two")];
  const { code, said } = await testAgents();
  assert.equal(code, 0, said);
  assert.match(said, /two on node-a: ok/);
  assert.match(said, /2 of 2 agents are ready/);
  assert.deepEqual(asked, [{ url: "/pods?labelSelector=a%3Db%2Cc%3Dd", authorization: "Bearer a-token" }]);
});

test("each-agent-ready.js fails with an agent's own words where it is not ready, and where there is none", async () => {
  readyz = { status: 503, text: "not ok\nprobes: failing: They are not in place yet\n" };
  answers = [pods("one")];
  const unready = await testAgents();
  assert.equal(unready.code, 1);
  assert.match(unready.said, /They are not in place yet/);
  readyz = { status: 200, text: "ok\n" };
  answers = [pods()];
  const none = await testAgents();
  assert.equal(none.code, 1);
  assert.match(none.said, /0 of 0/);
});

const daemonSet = (numberReady: number, observedGeneration = 1) => ({
  metadata: { generation: 1 },
  status: { observedGeneration, numberReady, desiredNumberScheduled: 2 },
});

test("await-cleanup.js waits until every node is clean", async () => {
  answers = [daemonSet(0, 0), daemonSet(1), daemonSet(2)];
  const { code, said } = await runScript("await-cleanup.js", { DAEMON_SET: "/set", TIMEOUT_SECONDS: "60" });
  assert.equal(code, 0);
  assert.equal(said, "Every node is clean\n");
  assert.equal(asked.length, 3);
  assert.deepEqual(asked[0], { url: "/set", authorization: "Bearer a-token" });
});

test("await-cleanup.js lets uninstallation go on where a node stays away", async () => {
  answers = [daemonSet(1)];
  const { code, said } = await runScript("await-cleanup.js", { DAEMON_SET: "/set", TIMEOUT_SECONDS: "0" });
  assert.equal(code, 0);
  assert.match(said, /1 of 2 nodes are clean/);
});
