import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A request as the API server's audit log has it. */
export interface AuditedRequest {
  readonly user: string;
  readonly verb: string;
  /** With its group behind a dot, as permissions name it; undefined for what is no resource. */
  readonly resource: string | undefined;
  readonly code: number;
  /** Unix time in ms. */
  readonly time: number;
}

/** Every request of service accounts that are not the control plane's own, without bodies. */
const POLICY = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [
    { level: "None", userGroups: ["system:serviceaccounts:kube-system"] },
    { level: "Metadata", userGroups: ["system:serviceaccounts"] },
    { level: "Metadata", users: ["tcpretrans"] },
    { level: "None" },
  ],
};

/** Writes the policy under `dir`; gives the flags of the API server by which it keeps the log there. */
export async function auditFlags(dir: string): Promise<Readonly<Record<string, string>>> {
  const policy = join(dir, "audit-policy.json");
  await writeFile(policy, JSON.stringify(POLICY));
  return { "audit-policy-file": policy, "audit-log-path": auditLogFile(dir), "audit-log-mode": "blocking" };
}

/** Reads the log under `dir`, in the order of its writing: a watch is there when it has begun and when it is over. */
export async function readAuditLog(dir: string): Promise<readonly AuditedRequest[]> {
  const text = await readFile(auditLogFile(dir), "utf8");
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => toRequest(JSON.parse(line)));
}

function auditLogFile(dir: string): string {
  return join(dir, "audit.log");
}

interface AuditEvent {
  readonly user: { readonly username: string };
  readonly verb: string;
  readonly objectRef?: {
    readonly resource: string;
    readonly apiGroup?: string;
    readonly subresource?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  readonly stageTimestamp: string;
}

function toRequest({ user, verb, objectRef, responseStatus, stageTimestamp }: AuditEvent): AuditedRequest {
  const { resource, apiGroup, subresource } = objectRef ?? {};
  const path = subresource === undefined ? resource : `${resource}/${subresource}`;
  return {
    user: user.username,
    verb,
    resource: apiGroup === undefined ? path : `${path}.${apiGroup}`,
    code: responseStatus?.code ?? 0,
    time: Date.parse(stageTimestamp),
  };
}
