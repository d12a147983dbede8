import assert from "node:assert/strict";
import { test } from "node:test";
import { statusProblem, transportProblem } from "../../src/kube/errors.ts";
import { recorded } from "./scripted-server.ts";

const SERVER = "https://kube.example:6443";
const PODS = { path: "/api/v1/pods", verbs: ["list", "watch"] };
const SLICES = { ...PODS, path: "/apis/discovery.k8s.io/v1/endpointslices" };

const TRANSPORT = [
  {
    code: "ENOTFOUND",
    kind: "unreachable",
    says: /the name kube\.example does not resolve \(ENOTFOUND\); check/,
  },
  { code: "ECONNREFUSED", kind: "unreachable", says: /the connection is refused; check/ },
  { code: "EHOSTUNREACH", kind: "unreachable", says: /no way leads there \(EHOSTUNREACH\); check/ },
  {
    code: "DEPTH_ZERO_SELF_SIGNED_CERT",
    kind: "untrusted",
    says: /^Cannot trust .* self-signed .*check certificate-authority/,
  },
  { code: "CERT_HAS_EXPIRED", kind: "untrusted", says: /its certificate has expired/ },
  { code: "ERR_TLS_CERT_ALTNAME_INVALID", kind: "untrusted", says: /its certificate is for another name/ },
  { code: "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", kind: "untrusted", says: /check client-certificate/ },
  { code: "EPROTO", kind: "not-kubernetes", says: /kube\.example:6443 speaks another protocol \(EPROTO\)/ },
  { code: "HPE_INVALID_CONSTANT", kind: "not-kubernetes", says: /speaks another protocol/ },
  { code: "ECONNRESET", kind: "broken-off", says: /breaks the connection off$/ },
] as const;

for (const { code, kind, says } of TRANSPORT) {
  test(`transportProblem() gives one sentence for ${code}`, () => {
    const problem = transportProblem(Object.assign(new Error("whatever"), { code }), SERVER);
    assert.equal(problem.kind, kind);
    assert.match(problem.sentence, says);
    assert.match(problem.sentence, /https:\/\/kube\.example:6443/);
  });
}

const json = "application/json";
const STATUS = [
  {
    name: "401",
    answer: { status: 401, body: JSON.parse(recorded("unauthorized.json")) },
    kind: "unauthorized",
    says: /does not know us \(401\); renew/,
  },
  {
    name: "403",
    answer: { status: 403, body: JSON.parse(recorded("forbidden.json")) },
    kind: "forbidden",
    says: /^Cannot watch endpointslices: grant "list" and "watch" on endpointslices\.discovery\.k8s\.io to agent$/,
  },
  {
    name: "403 without a Status",
    answer: { status: 403, body: undefined },
    kind: "forbidden",
    says: /to this user$/,
  },
  {
    name: "404",
    answer: { status: 404, contentType: "text/plain", body: undefined },
    kind: "missing",
    says: /^Cannot find endpointslices\.discovery\.k8s\.io at/,
  },
  {
    name: "404 in HTML",
    answer: { status: 404, contentType: "text/html", body: undefined },
    kind: "not-kubernetes",
    says: /^No Kubernetes API server at .* answers 404 with text\/html; check/,
  },
  {
    name: "a redirection",
    answer: { status: 302, contentType: "text/html", body: undefined },
    kind: "not-kubernetes",
    says: /answers 302/,
  },
  {
    name: "410",
    answer: { status: 410, body: JSON.parse(recorded("continue-expired.json")) },
    kind: "expired",
    says: /no longer has this past/,
  },
  {
    name: "422",
    answer: { status: 422, contentType: json, body: {} },
    kind: "rejected",
    says: /does not take the request for endpointslices \(422\)/,
  },
  {
    name: "429",
    answer: { status: 429, body: {}, retryAfter: "3" },
    kind: "throttled",
    says: /is asked too much/,
    retryAfterMs: 3000,
  },
  {
    name: "503",
    answer: { status: 503, body: {}, retryAfter: "999999" },
    kind: "failing",
    says: /it answers 503/,
    retryAfterMs: 300_000,
  },
  {
    name: "a Retry-After that is a date",
    answer: { status: 503, body: {}, retryAfter: "Wed, 21 Oct 2026" },
    kind: "failing",
    says: /503/,
  },
] as const;

for (const { name, answer, kind, says, ...more } of STATUS) {
  test(`statusProblem() gives one sentence for ${name}`, () => {
    const problem = statusProblem(answer, SERVER, SLICES);
    assert.equal(problem.kind, kind);
    assert.match(problem.sentence, says);
    assert.equal(problem.retryAfterMs, "retryAfterMs" in more ? more.retryAfterMs : undefined);
  });
}

test("statusProblem() asks for list alone where nothing is watched", () => {
  const nodes = { path: "/api/v1/nodes", verbs: ["list"] };
  const { sentence } = statusProblem({ status: 403, body: {} }, SERVER, nodes);
  assert.equal(sentence, 'Cannot list nodes: grant "list" on nodes to this user');
});
