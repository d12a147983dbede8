/** What kept the API server's answer from us. */
export type ProblemKind =
  /** No connection: no such name, refused, no route, no answer in time. */
  | "unreachable"
  /** Its certificate is not trusted, or it takes none of ours. */
  | "untrusted"
  /** Something else answers there. */
  | "not-kubernetes"
  /** Our credentials could not be read or made. */
  | "credentials"
  /** 401: the credentials are not valid, or no longer. */
  | "unauthorized"
  /** 403: a permission is missing. */
  | "forbidden"
  /** 404: this server has no such resource. */
  | "missing"
  /** Any other 4xx: it does not take the request. */
  | "rejected"
  /** 410: the resource version or continue token is too old, or of another history. */
  | "expired"
  /** 429: it is asked too much. */
  | "throttled"
  /** 5xx. */
  | "failing"
  /** The answer ended before its end. */
  | "broken-off"
  /** The answer stood still for longer than it may. */
  | "silent"
  /** We stopped. */
  | "stopped";

/** Why a request gave nothing, or not all. */
export interface ApiProblem {
  readonly kind: ProblemKind;
  /** What it is and what to do, for people: no final period, the same text each time. */
  readonly sentence: string;
  /** What the server asks us to wait, in ms. */
  readonly retryAfterMs?: number;
}

/** What is asked for, and what must be granted for it. */
export interface ApiTarget {
  /** Such as `/apis/discovery.k8s.io/v1/endpointslices`. */
  readonly path: string;
  readonly verbs: readonly string[];
}

/** The resource as permissions name it: `endpointslices.discovery.k8s.io`, or `pods`. */
export function resourceOf({ path }: ApiTarget): string {
  const [, root, group, , resource] = path.split("/");
  return root === "apis" ? `${resource}.${group}` : path.slice(path.lastIndexOf("/") + 1);
}
