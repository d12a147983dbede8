import { type ApiProblem, type ApiTarget, resourceOf } from "./api-problem.ts";
import { asObject, type JsonObject, objectOf, objectsOf, textOf } from "./json-value.ts";

/** No server may make us wait longer. */
const MAX_RETRY_AFTER_MS = 5 * 60_000;

/** An answer that is no success, as far as it tells why. */
export interface FailedAnswer {
  readonly status: number;
  readonly contentType?: string | undefined;
  readonly retryAfter?: string | undefined;
  /** The body, or the object of an ERROR event. */
  readonly body: unknown;
}

/** Says why a request got no answer, from the error of Node that it ended with. */
export function transportProblem(error: unknown, server: string): ApiProblem {
  const code = codeOf(error);
  const { host, hostname } = new URL(server);
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    const state = `the name ${hostname} does not resolve (${code})`;
    return unreachable(server, state, "check the server of the kubeconfig and this host's DNS");
  }
  if (code === "ECONNREFUSED") {
    return unreachable(
      server,
      "the connection is refused",
      "check that it runs and that the address is right",
    );
  }
  if (code === "ETIMEDOUT" || code === "EHOSTUNREACH" || code === "ENETUNREACH") {
    return unreachable(
      server,
      `no way leads there (${code})`,
      "check routes, firewalls and network policies",
    );
  }
  const distrust = DISTRUST[code];
  if (distrust !== undefined) {
    const remedy = "check certificate-authority and tls-server-name of the kubeconfig";
    return {
      kind: "untrusted",
      sentence: `Cannot trust the API server at ${server}: ${distrust} (${code}); ${remedy}`,
    };
  }
  if (/^ERR_SSL_.*(ALERT|CERTIFICATE)/.test(code)) {
    const remedy = "check client-certificate and client-key of the kubeconfig";
    return {
      kind: "untrusted",
      sentence: `The API server at ${server} ends the TLS handshake (${code}); ${remedy}`,
    };
  }
  if (code === "EPROTO" || code.startsWith("ERR_SSL_") || code.startsWith("HPE_")) {
    return notKubernetes(server, `${host} speaks another protocol (${code})`);
  }
  const detail = BREAKS.includes(code) ? "" : ` (${code})`;
  return { kind: "broken-off", sentence: `The API server at ${server} breaks the connection off${detail}` };
}

/** Says why an answer is no success, from its status and the Status object in it. */
export function statusProblem(answer: FailedAnswer, server: string, target: ApiTarget): ApiProblem {
  const { status } = answer;
  const body = asObject(answer.body) ?? {};
  const message = textOf(body, "message") ?? "";
  const resource = resourceOf(target);
  const name = resource.split(".")[0];
  if (status === 401) {
    const remedy = "renew the token or the client certificate of the kubeconfig";
    return {
      kind: "unauthorized",
      sentence: `The API server at ${server} does not know us (401); ${remedy}`,
    };
  }
  if (status === 403) {
    const user = /User "([^"]*)"/.exec(message)?.[1] ?? "this user";
    const verbs = target.verbs.map((verb) => `"${verb}"`).join(" and ");
    const doing = target.verbs.at(-1) ?? "read";
    return {
      kind: "forbidden",
      sentence: `Cannot ${doing} ${name}: grant ${verbs} on ${resource} to ${user}`,
    };
  }
  if (status === 410 || isOfAnotherHistory(body)) {
    return { kind: "expired", sentence: `The API server no longer has this past of ${name} (${status})` };
  }
  if (status === 429 || status >= 500) {
    const retryAfterMs = parseRetryAfter(answer.retryAfter);
    const kind = status === 429 ? "throttled" : "failing";
    const state = status === 429 ? "is asked too much" : "fails";
    const sentence = `The API server at ${server} ${state}: it answers ${status} for ${name}`;
    return { kind, sentence, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  }
  if (status < 400 || answer.contentType?.startsWith("text/html") === true) {
    return notKubernetes(server, `it answers ${status} with ${answer.contentType ?? "no content type"}`);
  }
  if (status === 404) {
    const remedy = "this Kubernetes may be too old, or no API server be there";
    return { kind: "missing", sentence: `Cannot find ${resource} at ${server} (404): ${remedy}` };
  }
  return {
    kind: "rejected",
    sentence: `The API server at ${server} does not take the request for ${name} (${status})`,
  };
}

/** Something other than an API server answers there. */
export function notKubernetes(server: string, state: string): ApiProblem {
  const sentence = `No Kubernetes API server at ${server}: ${state}; check the server of the kubeconfig`;
  return { kind: "not-kubernetes", sentence };
}

/** Our own credentials cannot be had: a file is away, or the program that makes them failed. */
export function credentialsProblem(error: unknown): ApiProblem {
  return { kind: "credentials", sentence: `Cannot get credentials for the API server: ${stateOf(error)}` };
}

function stateOf(error: unknown): string {
  // Of JSON.parse(), whose message quotes what it was given: that may be a token.
  if (error instanceof SyntaxError) return "what the program in the kubeconfig prints is no JSON";
  // Of client-node, which looks into what the kubeconfig or the program left out; Node's own have a code.
  if (error instanceof TypeError && !("code" in error)) {
    return "exec or auth-provider of the kubeconfig's user is incomplete, or the program's answer is";
  }
  const said = (error instanceof Error ? error.message : String(error)).trim().split("\n")[0] ?? "";
  return said === "" ? "the program in the kubeconfig failed and said nothing" : said;
}

/** Node's errors of certificates, from OpenSSL's X509_V_ERR_* and its own host name check. */
const DISTRUST: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is of an authority not known here",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is of an authority not known here",
  UNABLE_TO_GET_ISSUER_CERT: "its certificate is of an authority not known here",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is of an authority not known here",
  CERT_SIGNATURE_FAILURE: "its certificate is of an authority not known here",
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate is not valid yet, or this host's clock is wrong",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
};

/** All the same to people. */
const BREAKS: readonly string[] = ["ECONNRESET", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE"];

function unreachable(server: string, state: string, remedy: string): ApiProblem {
  return { kind: "unreachable", sentence: `Cannot reach the API server at ${server}: ${state}; ${remedy}` };
}

function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return "unknown";
  if ("code" in error && typeof error.code === "string") return error.code;
  return error instanceof Error ? error.name : "unknown";
}

/** After etcd came back from a backup our version lies in its future: 504 with this cause, for as long as we ask for it. */
function isOfAnotherHistory(body: JsonObject): boolean {
  const causes = objectsOf(objectOf(body, "details"), "causes");
  return causes.some((cause) => textOf(cause, "reason") === "ResourceVersionTooLarge");
}

/** Retry-After in seconds; the form with a date is no server's of Kubernetes. */
function parseRetryAfter(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,6}$/.test(text)) return undefined;
  return Math.min(Number(text) * 1000, MAX_RETRY_AFTER_MS);
}
