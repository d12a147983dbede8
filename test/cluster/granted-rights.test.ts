import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuditedRequest } from "../lab/cluster/audit-log.ts";
import { judgeRights } from "./granted-rights.ts";

const user = "system:serviceaccount:network:tcpretrans";
const rules = [
  { apiGroups: [""], resources: ["pods"], verbs: ["list", "watch"] },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
  { apiGroups: [""], resources: ["nodes"], verbs: ["list"] },
];

function asked(verb: string, resource: string, code = 200): AuditedRequest {
  return { user, verb, resource, code, time: 0 };
}

function problemsOf(requests: readonly AuditedRequest[]): readonly (string | undefined)[] {
  return judgeRights(requests, { user, rules, column: "" }).map(({ problem }) => problem);
}

const ALL = [
  asked("watch", "pods"),
  asked("watch", "endpointslices.discovery.k8s.io"),
  asked("list", "nodes"),
];

test("judgeRights() has nothing against a user that uses what it may, and no more", () => {
  assert.deepEqual(problemsOf(ALL), [undefined, undefined]);
});

test("judgeRights() names each request that was refused", () => {
  const refused = [...ALL, asked("list", "secrets", 403), asked("watch", "secrets", 403)];
  assert.deepEqual(problemsOf(refused), ["list secrets; watch secrets", undefined]);
});

test("judgeRights() names each right that nobody used, a refused one among them", () => {
  const few = [asked("watch", "pods"), asked("list", "nodes", 403)];
  const unused =
    "unused: list endpointslices.discovery.k8s.io; unused: watch endpointslices.discovery.k8s.io; unused: list nodes";
  assert.deepEqual(problemsOf(few), ["list nodes", unused]);
});

test("judgeRights() does not take another user's requests for ours", () => {
  const others = ALL.map((request) => ({ ...request, user: "admin" }));
  assert.match(problemsOf(others)[0] ?? "", /no request of system:serviceaccount:network:tcpretrans at all/);
});
