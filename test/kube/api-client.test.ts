import assert from "node:assert/strict";
import { createServer as createTcpServer } from "node:net";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { type ApiClient, openApiClient, type ReadOptions } from "../../src/kube/api-client.ts";
import { SYSTEM_CLOCK } from "../../src/kube/clock.ts";
import { fastClock } from "./fast-clock.ts";
import { recorded, ScriptedServer } from "./scripted-server.ts";

const PODS = { path: "/api/v1/pods", verbs: ["list"] };

async function read(client: ApiClient, more: Partial<ReadOptions> = {}) {
  const parts: Uint8Array[] = [];
  let wireBytes = 0;
  const problem = await client.read(PODS, {
    query: { limit: "2", continue: undefined },
    signal: new AbortController().signal,
    silenceMs: () => 60_000,
    opened: () => {},
    chunk: (bytes) => parts.push(bytes) > 0,
    received: (bytes) => (wireBytes += bytes),
    ...more,
  });
  return { problem, wireBytes, text: Buffer.concat(parts).toString("utf8") };
}

test("ApiClient.read() unpacks gzip, and counts the bytes of the wire", async () => {
  const packed = gzipSync(recorded("page-1.json"));
  await using server = await ScriptedServer.start((call) => {
    assert.equal(call.headers["accept-encoding"], "gzip");
    assert.equal(call.query.toString(), "limit=2");
    call.json(packed as unknown as string, 200, { "content-encoding": "gzip" });
  });
  const client = await server.client(SYSTEM_CLOCK);
  const { problem, text, wireBytes } = await read(client);
  assert.deepEqual([problem, text, wireBytes], [undefined, recorded("page-1.json"), packed.length]);
  client.close();
});

test("ApiClient.read() gives broken-off for an answer without its end, packed or not", async () => {
  const packed = gzipSync(recorded("page-1.json"));
  for (const [body, headers] of [
    [packed.subarray(0, 400), { "content-encoding": "gzip" }],
    [recorded("page-1.json").slice(0, 400), {}],
  ] as const) {
    await using server = await ScriptedServer.start((call) => {
      call.begin(200, { ...headers, "content-length": "5000" });
      call.write(body);
      setTimeout(() => call.reset(), 10);
    });
    const client = await server.client(SYSTEM_CLOCK);
    const { problem } = await read(client);
    assert.equal(problem?.kind, "broken-off");
    client.close();
  }
});

test("ApiClient.read() asks twice over one connection, and once more when the server has closed it meanwhile", async () => {
  await using server = await ScriptedServer.start((call) => call.json(recorded("page-1.json")));
  const client = await server.client(SYSTEM_CLOCK);
  await read(client);
  await read(client);
  assert.equal(server.connections, 1);
  await server.down();
  await server.up();
  assert.equal((await read(client)).problem, undefined);
  client.close();
});

test("ApiClient.read() gives stopped when the signal comes, before, during and after the head", async () => {
  const [before, after] = [new AbortController(), new AbortController()];
  await using server = await ScriptedServer.start((call) => {
    if (server.calls.length === 2) call.write("{");
    else before.abort();
  });
  const client = await server.client(SYSTEM_CLOCK);
  assert.equal((await read(client, { signal: AbortSignal.abort() })).problem?.kind, "stopped");
  assert.equal((await read(client, { signal: before.signal })).problem?.kind, "stopped");
  const opened = () => void setImmediate(() => after.abort());
  assert.equal((await read(client, { signal: after.signal, opened })).problem?.kind, "stopped");
  assert.equal(server.calls.length, 2);
  client.close();
});

test("ApiClient.read() gives unreachable for a server that never answers, and silent for one that stops", async () => {
  await using server = await ScriptedServer.start();
  const hasty = await server.client(fastClock(1000));
  assert.equal((await read(hasty)).problem?.kind, "unreachable");
  hasty.close();
  server.answer = (call) => call.write("{");
  // The head may take 6 s on a busy machine.
  const patient = await server.client(fastClock(10));
  assert.equal((await read(patient, { silenceMs: () => 1000 })).problem?.kind, "silent");
  patient.close();
});

test("ApiClient.read() gives not-kubernetes for a web page", async () => {
  await using server = await ScriptedServer.start((call) =>
    call.json("<html>", 200, { "content-type": "text/html" }),
  );
  const client = await server.client(SYSTEM_CLOCK);
  const { problem } = await read(client);
  assert.equal(
    problem?.sentence,
    `No Kubernetes API server at ${server.url}: it answers with text/html; check the server of the kubeconfig`,
  );
  client.close();
});

test("ApiClient.read() gives not-kubernetes where https meets another protocol", async () => {
  const other = createTcpServer((socket) => socket.on("error", () => {}).end("SSH-2.0-OpenSSH\r\n"));
  const { promise, resolve } = Promise.withResolvers<void>();
  other.listen(0, "127.0.0.1", resolve);
  await promise;
  await using server = new ScriptedServer();
  const address = other.address();
  const port = typeof address === "object" ? address?.port : 0;
  const kubeconfig = server.kubeconfig({}, `https://127.0.0.1:${port}`);
  const client = await openApiClient({ kubeconfig, userAgent: "test" });
  assert.equal((await read(client)).problem?.kind, "not-kubernetes");
  other.close();
});

test("ApiClient.read() takes credentials from a program, and says when it fails", async () => {
  await using server = await ScriptedServer.start((call) => call.json("{}"));
  const exec = (script: string) => ({
    exec: { apiVersion: "client.authentication.k8s.io/v1", command: "sh", args: ["-c", script] },
  });
  const good = await server.client(SYSTEM_CLOCK, exec(`echo '{"status":{"token":"made"}}'`));
  await read(good);
  assert.equal(server.calls[0]?.headers.authorization, "Bearer made");
  const bad = await server.client(SYSTEM_CLOCK, exec("echo log in first >&2; exit 1"));
  assert.equal(
    (await read(bad)).problem?.sentence,
    "Cannot get credentials for the API server: log in first",
  );
  const mute = await server.client(SYSTEM_CLOCK, exec("exit 1"));
  assert.equal(
    (await read(mute)).problem?.sentence,
    "Cannot get credentials for the API server: the program in the kubeconfig failed and said nothing",
  );
  const bare = await server.client(SYSTEM_CLOCK, exec("echo secret-token"));
  assert.equal(
    (await read(bare)).problem?.sentence,
    "Cannot get credentials for the API server: what the program in the kubeconfig prints is no JSON",
  );
  const hollow = await server.client(SYSTEM_CLOCK, exec("echo '{}'"));
  assert.equal(
    (await read(hollow)).problem?.sentence,
    "Cannot get credentials for the API server: exec or auth-provider of the kubeconfig's user is incomplete, or the program's answer is",
  );
  const slow = await server.client(fastClock(1000), exec("sleep 1"));
  assert.match((await read(slow)).problem?.sentence ?? "", /takes longer than 30 s$/);
});

test("ApiClient.read() gives stopped at once while a program still makes the credentials", async () => {
  await using server = await ScriptedServer.start((call) => call.json(recorded("page-1.json")));
  const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "sleep", args: ["2"] };
  const client = await server.client(SYSTEM_CLOCK, { exec });
  const fromMs = performance.now();
  const { problem } = await read(client, { signal: AbortSignal.timeout(100) });
  client.close();
  assert.equal(problem?.kind, "stopped");
  assert.ok(performance.now() - fromMs < 1000);
});

test("ApiClient.read() says that a token cannot be sent, without the token, and sends it once it can be", async () => {
  await using server = await ScriptedServer.start((call) => call.json("{}"));
  const tokenFile = server.file("token", "sec\0ret");
  const client = await server.client(SYSTEM_CLOCK, { "token-file": tokenFile });
  assert.deepEqual((await read(client)).problem, {
    kind: "credentials",
    sentence: `Cannot get credentials for the API server: Invalid character in header content ["Authorization"]`,
  });
  server.file("token", "made\n");
  assert.equal(await client.renew(), undefined);
  assert.equal((await read(client)).problem, undefined);
  assert.equal(server.calls[0]?.headers.authorization, "Bearer made");
});

test("ApiClient.read() takes the token from the user's tokenFile, beside the kubeconfig or elsewhere", async () => {
  await using server = await ScriptedServer.start((call) => call.json("{}"));
  for (const tokenFile of ["made-token", server.file("made-token", "made\n")]) {
    const client = await server.client(SYSTEM_CLOCK, { tokenFile, token: "old" });
    server.file("made-token", `from ${tokenFile}`);
    assert.equal((await read(client)).problem, undefined);
    assert.equal(server.calls.at(-1)?.headers.authorization, `Bearer from ${tokenFile}`);
    client.close();
  }
  const missing = await server.client(SYSTEM_CLOCK, { tokenFile: "/none" });
  assert.match((await read(missing)).problem?.sentence ?? "", /^Cannot get credentials .*ENOENT.*\/none/);
});

test("ApiClient.read() says that a program's certificates cannot be used", async () => {
  await using server = await ScriptedServer.start();
  const made = JSON.stringify({ status: { clientCertificateData: "cert", clientKeyData: "key" } });
  const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "echo", args: [made] };
  const kubeconfig = server.kubeconfig({ exec }, "https://127.0.0.1:1");
  const client = await openApiClient({ kubeconfig, userAgent: "test" });
  const { problem } = await read(client);
  assert.equal(problem?.kind, "credentials");
  assert.match(problem.sentence, /^Cannot get credentials for the API server: .*PEM/);
});
