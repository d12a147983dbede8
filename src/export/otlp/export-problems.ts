import type { OtlpTarget } from "./otlp-settings.ts";
import type { PartialSuccess } from "./partial-success.ts";
import { quoted } from "./send-result.ts";

interface Known {
  /** Any of these in the error's code or message. */
  readonly marks: readonly string[];
  readonly reason: string;
  readonly remedy: string;
  readonly remedyWithTls?: string;
}

const CHECK_PORT = "check the port and otlp.protocol (by custom 4317 is for grpc, 4318 for http/protobuf)";

/** What connections fail with, in Node's and OpenSSL's words; the first that fits counts. */
const CONNECTION_PROBLEMS: readonly Known[] = [
  {
    marks: ["ECONNREFUSED"],
    reason: "connection refused",
    remedy: "check that a Collector listens there, or correct otlp.endpoint",
  },
  {
    marks: ["ENOTFOUND", "EAI_AGAIN", "Name resolution failed"],
    reason: "its name cannot be looked up",
    remedy: "check the host in otlp.endpoint and the pod's DNS",
  },
  {
    marks: ["ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH"],
    reason: "there is no way to it",
    remedy: "check otlp.endpoint, routes and network policies",
  },
  {
    marks: ["self-signed", "SELF_SIGNED", "UNABLE_TO_", "unable to verify", "unable to get"],
    reason: "its certificate comes from an authority that is not known here",
    remedy: "give the authority's certificate as otlp.certificate",
  },
  {
    marks: ["CERT_HAS_EXPIRED", "certificate has expired"],
    reason: "its certificate has expired",
    remedy: "renew the Collector's certificate",
  },
  {
    marks: ["ALTNAME", "altnames"],
    reason: "its certificate is for another name",
    remedy: "use a name in otlp.endpoint that the certificate has",
  },
  {
    marks: [
      "certificate required",
      "CERTIFICATE_REQUIRED",
      "bad certificate",
      "BAD_CERTIFICATE",
      "unknown ca",
      "UNKNOWN_CA",
      "certificate unknown",
      "CERTIFICATE_UNKNOWN",
      "alert number 116",
      "alert number 42",
      "alert number 48",
    ],
    reason: "it does not take our client certificate",
    remedy: "give one that it trusts as otlp.clientCertificate and otlp.clientKey",
  },
  {
    marks: [
      "wrong version number",
      "WRONG_VERSION_NUMBER",
      "packet length too long",
      "PACKET_LENGTH_TOO_LONG",
      "EPROTO",
    ],
    reason: "it does not speak TLS there",
    remedy: "write http:// in otlp.endpoint, or use the port that has TLS",
  },
  {
    marks: ["HPE_", "Parse Error", "Protocol error", "ERR_HTTP2"],
    reason: "what answers there does not speak the protocol",
    remedy: CHECK_PORT,
  },
  {
    // The last is what grpc-js keeps of a connection that ends before it is set up, as without a client certificate.
    marks: [
      "ECONNRESET",
      "socket hang up",
      "EPIPE",
      "Connection dropped",
      "Socket closed",
      "Failed to connect",
    ],
    reason: "the connection was broken off",
    remedy: `look into the Collector's log; if it never works, ${CHECK_PORT}`,
    remedyWithTls:
      "look into the Collector's log, and whether it asks for otlp.clientCertificate and otlp.clientKey",
  },
];

/** Says why a connection failed, and what to do. */
export function connectionSentence(target: OtlpTarget, said: string): string {
  const known = CONNECTION_PROBLEMS.find(({ marks }) => marks.some((mark) => said.includes(mark)));
  if (known === undefined) return `${cannot(target)}: ${quoted(said)}`;
  const { reason, remedy, remedyWithTls = remedy } = known;
  return `${cannot(target)}: ${reason}; ${target.secure ? remedyWithTls : remedy}`;
}

/** Says that what answers is not what was looked for. */
export function strangeSentence(target: OtlpTarget, said: string): string {
  return `${cannot(target)}: it answered ${said}; check the host and path of otlp.endpoint`;
}

/** Says that the server took less than all, or had a word to say about it. */
export function partlySentence({ signal, shown }: OtlpTarget, { rejected, message }: PartialSuccess): string {
  const what =
    rejected === 0
      ? `${shown} took the ${signal} with a warning`
      : `${shown} rejected a part of the ${signal}`;
  return message === "" ? what : `${what}: ${quoted(message)}`;
}

/** Says that no answer came in time, or not even a connection. */
export function timeoutSentence(target: OtlpTarget, timeoutMs: number, isConnected: boolean): string {
  const seconds = timeoutMs / 1000;
  return isConnected
    ? `${cannot(target)}: no answer within ${seconds} s; check that it keeps up, or raise otlp.timeoutSeconds`
    : `${cannot(target)}: no connection within ${seconds} s; check otlp.endpoint, the pod's DNS, routes and network policies`;
}

/** Says why a server refused or put off a request, by what the refusal is about, with the server's own words. */
export function answerSentence(target: OtlpTarget, answer: string, said: string): string {
  const words = said === "" ? answer : `${answer} (${quoted(said)})`;
  const remedy = REMEDIES.find(([answers]) => answers.includes(answer))?.[1];
  return remedy === undefined
    ? `${cannot(target)}: it answered ${words}`
    : `${cannot(target)}: it answered ${words}; ${remedy}`;
}

const REMEDIES: readonly (readonly [answers: readonly string[], remedy: string])[] = [
  [["401", "UNAUTHENTICATED"], "give it credentials as otlp.headers or a client certificate"],
  [["403", "PERMISSION_DENIED"], "the credentials of otlp.headers do not suffice"],
  [
    ["404", "405", "UNIMPLEMENTED"],
    "this signal is not received there: check otlp.endpoint, otlp.protocol and the Collector's pipelines",
  ],
  [
    ["413", "RESOURCE_EXHAUSTED"],
    "requests stay under 3 MiB: raise the receiver's limit (max_recv_msg_size_mib, max_request_body_size)",
  ],
  [["DEADLINE_EXCEEDED"], "check that it keeps up, or raise otlp.timeoutSeconds"],
  [["415"], "it takes no protobuf: use otlp.protocol grpc, or another endpoint"],
];

function cannot({ signal, shown }: OtlpTarget): string {
  return `Cannot export ${signal} to ${shown}`;
}
