import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { grpcLogSender } from "../../../src/export/otlp/grpc-log-sender.ts";
import { httpSender } from "../../../src/export/otlp/http-sender.ts";
import type { OtlpSettings } from "../../../src/export/otlp/otlp-settings.ts";
import type { SendResult } from "../../../src/export/otlp/send-result.ts";
import { GRPC, type GrpcBehaviour, grpcCollector } from "./grpc-collector.ts";
import { type HttpBehaviour, httpCollector } from "./http-collector.ts";
import { otlpSettings, serverTls } from "./settings.ts";

const NEVER = new AbortController().signal;

/** Sends one request; the sentence is without the beginning that names signal and server. */
async function send(t: TestContext, settings: OtlpSettings): Promise<SendResult> {
  const sender =
    settings.protocol === "grpc"
      ? grpcLogSender(settings, "test")
      : httpSender("logs", settings, { userAgent: "test", unixMs: () => Date.parse("2026-01-01T00:00:00Z") });
  t.after(sender.close);
  const result = await sender.send(new Uint8Array(gzipSync(Buffer.alloc(300_000))), NEVER);
  if (result.kind === "accepted") return result;
  return { ...result, sentence: result.sentence.replace(/^Cannot export logs to \S+: /, "") };
}

/** The code of an answer is its own word; of a failed connection it is Node's or gRPC's. */
const answerIn = (sentence: string) => /^it answered (\w+)/.exec(sentence)?.[1] ?? "other";
const refused = (sentence: string): SendResult => ({ kind: "refused", code: answerIn(sentence), sentence });
const retry = (sentence: string, afterMs?: number): SendResult => {
  return { kind: "retry", code: answerIn(sentence), afterMs, sentence };
};

/** That a connection failed for this reason; by gRPC all such have one code. */
function assertBroken(result: SendResult, sentence: string, codes: readonly string[]): void {
  assert.ok(result.kind === "retry");
  assert.deepEqual([result.sentence, result.afterMs], [sentence, undefined]);
  assert.ok(["UNAVAILABLE", ...codes].includes(result.code), result.code);
}

const TAKEN: SendResult = { kind: "accepted", rejected: 0, message: undefined };

/** What a server answers, by its words and what is made of them. */
const GRPC_ANSWERS: readonly (readonly [GrpcBehaviour, SendResult])[] = [
  ["take", TAKEN],
  [{ code: GRPC.CANCELLED, details: "x" }, retry("it answered CANCELLED (x)")],
  [{ code: GRPC.UNKNOWN, details: "x" }, refused("it answered UNKNOWN (x)")],
  [{ code: GRPC.INVALID_ARGUMENT }, refused("it answered INVALID_ARGUMENT")],
  [
    { code: GRPC.DEADLINE_EXCEEDED },
    retry("it answered DEADLINE_EXCEEDED; check that it keeps up, or raise otlp.timeoutSeconds"),
  ],
  [{ code: GRPC.NOT_FOUND }, refused("it answered NOT_FOUND")],
  [{ code: GRPC.ALREADY_EXISTS }, refused("it answered ALREADY_EXISTS")],
  [
    { code: GRPC.PERMISSION_DENIED },
    refused("it answered PERMISSION_DENIED; the credentials of otlp.headers do not suffice"),
  ],
  [
    { code: GRPC.RESOURCE_EXHAUSTED, details: "quota" },
    refused(
      "it answered RESOURCE_EXHAUSTED (quota); requests stay under 3 MiB: raise the receiver's limit (max_recv_msg_size_mib, max_request_body_size)",
    ),
  ],
  [{ code: GRPC.FAILED_PRECONDITION }, refused("it answered FAILED_PRECONDITION")],
  [{ code: GRPC.ABORTED }, retry("it answered ABORTED")],
  [{ code: GRPC.OUT_OF_RANGE }, retry("it answered OUT_OF_RANGE")],
  [{ code: GRPC.INTERNAL, details: "x" }, refused("it answered INTERNAL (x)")],
  [{ code: GRPC.UNAVAILABLE, details: "x", retryAfterMs: 2_500 }, retry("it answered UNAVAILABLE (x)", 2500)],
  [{ code: GRPC.DATA_LOSS }, retry("it answered DATA_LOSS")],
  [
    { code: GRPC.UNAUTHENTICATED, details: "no token" },
    refused(
      "it answered UNAUTHENTICATED (no token); give it credentials as otlp.headers or a client certificate",
    ),
  ],
];

const HTTP_ANSWERS: readonly (readonly [HttpBehaviour, SendResult])[] = [
  ["take", TAKEN],
  [{ status: 204 }, TAKEN],
  [
    { status: 200, type: "text/html; charset=utf-8", body: "<h1>Welcome</h1>" },
    retry("it answered 200 with a web page; check the host and path of otlp.endpoint"),
  ],
  [{ status: 302 }, refused("it answered 302")],
  [{ status: 400, body: "bad\n request" }, refused("it answered 400 (bad request)")],
  [{ status: 401 }, refused("it answered 401; give it credentials as otlp.headers or a client certificate")],
  [{ status: 403 }, refused("it answered 403; the credentials of otlp.headers do not suffice")],
  [
    { status: 404, type: "text/html", body: "<h1>nginx</h1>" },
    refused(
      "it answered 404; this signal is not received there: check otlp.endpoint, otlp.protocol and the Collector's pipelines",
    ),
  ],
  [
    { status: 413 },
    refused(
      "it answered 413; requests stay under 3 MiB: raise the receiver's limit (max_recv_msg_size_mib, max_request_body_size)",
    ),
  ],
  [
    { status: 415 },
    refused("it answered 415; it takes no protobuf: use otlp.protocol grpc, or another endpoint"),
  ],
  [{ status: 429, retryAfter: "3" }, retry("it answered 429", 3000)],
  [{ status: 500, body: "x" }, refused("it answered 500 (x)")],
  [{ status: 502 }, retry("it answered 502")],
  [{ status: 503, retryAfter: "Thu, 01 Jan 2026 00:00:09 GMT" }, retry("it answered 503", 9000)],
  [{ status: 504 }, retry("it answered 504")],
];

for (const [behaviour, expected] of GRPC_ANSWERS) {
  test(`grpcLogSender() makes ${expected.kind} of the answer ${JSON.stringify(behaviour)}`, async (t) => {
    const collector = await grpcCollector(t, { behave: () => behaviour });
    assert.deepEqual(await send(t, otlpSettings(collector.port)), expected);
  });
}

for (const [behaviour, expected] of HTTP_ANSWERS) {
  test(`httpSender() makes ${expected.kind} of the answer ${JSON.stringify(behaviour)}`, async (t) => {
    const collector = await httpCollector(t, { behave: () => behaviour });
    assert.deepEqual(await send(t, otlpSettings(collector.port, { protocol: "http/protobuf" })), expected);
  });
}

const CHECK_PORT = "check the port and otlp.protocol (by custom 4317 is for grpc, 4318 for http/protobuf)";

for (const protocol of ["grpc", "http/protobuf"] as const) {
  const settingsOf = (port: number, other: Partial<OtlpSettings> = {}) =>
    otlpSettings(port, { protocol, ...other });

  test(`a sender for ${protocol} says that nobody listens, or that there is no such name`, async (t) => {
    const collector = await httpCollector(t);
    await collector.stop();
    assertBroken(
      await send(t, settingsOf(collector.port)),
      "connection refused; check that a Collector listens there, or correct otlp.endpoint",
      ["ECONNREFUSED"],
    );
    assertBroken(
      await send(t, settingsOf(1, { endpoint: "http://no-such-name.invalid:1" })),
      "its name cannot be looked up; check the host in otlp.endpoint and the pod's DNS",
      ["ENOTFOUND", "EAI_AGAIN"],
    );
  });

  test(`a sender for ${protocol} says that the server's certificate is for another name`, async (t) => {
    // The certificate has 127.0.0.1.
    const host = "127.0.0.2";
    const tls = serverTls();
    const options = { host, tls };
    const collector = await (protocol === "grpc" ? grpcCollector(t, options) : httpCollector(t, options));
    const endpoint = `https://${host}:${collector.port}`;
    const settings = settingsOf(collector.port, {
      endpoint,
      certificate: join(tls.directory, "authority.crt"),
    });
    assertBroken(
      await send(t, settings),
      "its certificate is for another name; use a name in otlp.endpoint that the certificate has",
      ["ERR_TLS_CERT_ALTNAME_INVALID"],
    );
  });

  test(`a sender for ${protocol} says that there is no TLS, and that there is`, async (t) => {
    const plain = await (protocol === "grpc" ? grpcCollector(t) : httpCollector(t));
    assertBroken(
      await send(t, settingsOf(plain.port, { endpoint: `https://localhost:${plain.port}` })),
      "it does not speak TLS there; write http:// in otlp.endpoint, or use the port that has TLS",
      ["EPROTO"],
    );
    const tls = serverTls();
    const secure = await (protocol === "grpc" ? grpcCollector(t, { tls }) : httpCollector(t, { tls }));
    const result = await send(t, settingsOf(secure.port));
    assert.equal(result.kind, "retry");
    assert.match(
      result.kind === "retry" ? result.sentence : "",
      /^(the connection was broken off|what answers there does not speak the protocol); /,
    );
  });

  test(`a sender for ${protocol} says that the other protocol is spoken there`, async (t) => {
    const other = await (protocol === "grpc" ? httpCollector(t) : grpcCollector(t));
    const result = await send(t, settingsOf(other.port));
    assertBroken(result, `what answers there does not speak the protocol; ${CHECK_PORT}`, [
      "HPE_INVALID_CONSTANT",
    ]);
  });

  test(`a sender for ${protocol} says that a file of TLS cannot be used`, async (t) => {
    const certificate = join(import.meta.dirname, "no-such-file");
    const settings = settingsOf(1, { endpoint: "https://localhost:1", certificate });
    assert.deepEqual(
      await send(t, settings),
      retry(
        `Cannot use the files of otlp.certificate, otlp.clientCertificate and otlp.clientKey: ENOENT: no such file or directory, stat '${certificate}'`,
      ),
    );
  });
}

test("grpcLogSender() says that the server takes no logs, or no message of this length", async (t) => {
  const server = new Server({ "grpc.max_receive_message_length": 1000 });
  t.after(() => server.forceShutdown());
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  const unimplemented = await send(t, otlpSettings(port));
  assert.equal(unimplemented.kind, "refused");
  assert.match(
    unimplemented.kind === "refused" ? unimplemented.sentence : "",
    /^it answered UNIMPLEMENTED \(.*\); this signal is not received there: check otlp\.endpoint/,
  );
  server.addService(
    {
      export: {
        path: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        ...{ requestStream: false, responseStream: false },
        ...{
          requestSerialize: asIs,
          requestDeserialize: asIs,
          responseSerialize: asIs,
          responseDeserialize: asIs,
        },
      },
    },
    {
      export: (_call: unknown, answer: (error: null, response: Buffer) => void) =>
        answer(null, Buffer.alloc(0)),
    },
  );
  const tooLong = await send(t, otlpSettings(port));
  assert.equal(tooLong.kind, "refused");
  assert.match(
    tooLong.kind === "refused" ? tooLong.sentence : "",
    /^it answered RESOURCE_EXHAUSTED \(.*\); requests stay under 3 MiB: raise the receiver's limit/,
  );
});

function asIs(bytes: Buffer): Buffer {
  return bytes;
}
