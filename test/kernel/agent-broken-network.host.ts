import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { decodeRequest } from "../export/otlp/decode-otlp.ts";
import { type Collector, grpcCollector } from "../export/otlp/grpc-collector.ts";
import { AgentProgram, sumOf } from "../support/agent-program.ts";
import { LossyLink } from "../support/lossy-link.ts";
import { NameServer } from "../support/name-server.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../support/otlp-receiver.ts";

/** The agent exports over the network that it diagnoses: here DNS is what is broken. */
const NAME = "collector.tcpretrans.example";
const PORT = 7001;
const directory = mkdtempSync(join(tmpdir(), "tcpretrans-test-"));
const undo = new AsyncDisposableStack();
let link: LossyLink;
let names: NameServer;
let collector: Collector;
let receiver: OtlpReceiver;
let through: readonly string[];

before(async () => {
  undo.defer(() => rmSync(directory, { recursive: true }));
  link = undo.use(
    await LossyLink.open({
      ports: [PORT],
      atServer: [`tcp dport ${PORT} meta length > 200 numgen random mod 100 < 20 drop`],
    }),
  );
  names = undo.use(await NameServer.listen(`127.${randomInt(1, 255)}.${randomInt(255)}.53`, NAME));
  collector = await grpcCollector({ after: (end) => undo.defer(end as () => Promise<void>) });
  receiver = undo.use(await startOtlpReceiver());
  const file = join(directory, "resolv.conf");
  writeFileSync(file, `nameserver ${names.address}\noptions timeout:2 attempts:1\n`);
  // A mount namespace whose names come from our server alone, as a pod's.
  through = ["unshare", "--mount", "sh", "-c", `mount --bind '${file}' /etc/resolv.conf && exec "$@"`, "sh"];
});

after(() => undo.disposeAsync());

async function retransmit(): Promise<void> {
  await link.ask({ host: link.address("ipv4"), port: PORT, connections: 4, bytes: 100_000 });
}

function protocolOf(protocol: "grpc" | "http/protobuf", host: string): readonly string[] {
  const port = protocol === "grpc" ? collector.port : new URL(receiver.url).port;
  return [`--otlp-endpoint=http://${host}:${port}`, `--otlp-protocol=${protocol}`];
}

/** Sequence numbers of retransmitted data that a protocol's receiver has got from a node's agent. */
function arrived(protocol: "grpc" | "http/protobuf", node: string): number {
  const logs =
    protocol === "grpc"
      ? collector.received.filter(({ severity }) => severity !== undefined)
      : receiver.requests
          .filter(({ path }) => path === "/v1/logs")
          .flatMap(({ body }) => decodeRequest("logs", body));
  return logs.filter(({ resource }) => resource["host.name"] === node).length;
}

const often = ["--metrics-interval-seconds", "1", "--otlp-timeout-seconds", "1"];

for (const protocol of ["grpc", "http/protobuf"] as const) {
  const flags = (node: string, host: string) => [
    ...["--node-name", node, ...often, "--logs-records-per-second", "100000"],
    ...protocolOf(protocol, host),
  ];

  test(`tcpretrans agent (${protocol}) loses nothing while the Collector's name cannot be looked up, and says why`, async () => {
    const node = `named-${protocol.slice(0, 4)}`;
    names.answer = "silent";
    await using agent = await AgentProgram.capturing(flags(node, NAME), { through });
    await retransmit();
    await agent.says(/Cannot export logs to .*: no connection within 1 s; .*the pod's DNS/);
    assert.equal((await agent.told("readyz", ({ status }) => status === 200)).status, 200);
    names.answer = "failure";
    await retransmit();
    await agent.says(/Cannot export logs to .*: its name cannot be looked up; .*the pod's DNS/);
    assert.equal(arrived(protocol, node), 0);
    await agent.told("readyz", ({ lines }) => lines.some((line) => /^export: logs: degraded: /.test(line)));
    assert.ok(sumOf(await agent.metrics(), "tcpretrans_queue_records") > 0);
    names.answer = "127.0.0.1";
    await retransmit();
    await agent.program.until(() => arrived(protocol, node) >= agent.rows.length, "sends all", 180);
    await agent.told("readyz", ({ lines }) => lines.every((line) => !/^export: logs: degraded/.test(line)));
    assert.equal(sumOf(await agent.metrics(), "tcpretrans_queue_dropped_total"), 0);
    assert.deepEqual(await agent.stop(), { code: 0, signal: null });
    assert.ok(agent.rows.length > 0);
    assert.equal(arrived(protocol, node), agent.rows.length);
  });

  test(`tcpretrans agent (${protocol}) asks no name server for a Collector by address, and sends all while there is none`, async () => {
    const node = `by-address-${protocol.slice(0, 4)}`;
    names.answer = "silent";
    const before = names.questions;
    await using agent = await AgentProgram.capturing(flags(node, "127.0.0.1"), { through });
    await retransmit();
    await agent.program.until(() => agent.rows.length > 0, "prints rows");
    await agent.program.until(() => arrived(protocol, node) >= agent.rows.length, "sends all");
    assert.deepEqual(await agent.stop(), { code: 0, signal: null });
    assert.equal(arrived(protocol, node), agent.rows.length);
    assert.equal(names.questions, before);
  });
}
