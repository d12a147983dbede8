import type { AuditedRequest } from "../lab/cluster/audit-log.ts";
import type { Check } from "./report.ts";

/** A rule of a role. */
export interface RoleRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** What a user asked the API server is what a role lets it: nothing was refused, and every right was used. */
export function judgeRights(
  requests: readonly AuditedRequest[],
  {
    user,
    rules,
    column,
  }: { readonly user: string; readonly rules: readonly RoleRule[]; readonly column: string },
): readonly Check[] {
  const own = requests.filter((request) => request.user === user);
  const refused = own.filter(({ code }) => code === 401 || code === 403);
  const used = new Set(own.filter(({ code }) => code === 200).map(rightOf));
  const granted = rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((name) => {
        const resource = group === "" ? name : `${name}.${group}`;
        return verbs.map((verb) => rightOf({ verb, resource }));
      }),
    ),
  );
  // Servers that stream a watch's beginning are asked for no list; older ones are (api-server.cluster.ts).
  const unused = granted.filter((right) => !used.has(right) && !used.has(right.replace(/^list /, "watch ")));
  const shown = `${own.length} requests`;
  const say = (problems: readonly string[]) => [...new Set(problems)].join("; ") || undefined;
  return [
    {
      subject: "the audit log has no refused request of the agent",
      column,
      problem: own.length === 0 ? `no request of ${user} at all` : say(refused.map(rightOf)),
      shown,
    },
    {
      subject: "every right of the ClusterRole is used, or is the list of what is watched",
      column,
      problem: granted.length === 0 ? "nothing is granted" : say(unused.map((right) => `unused: ${right}`)),
      shown: `${granted.length} rights`,
    },
  ];
}

function rightOf({ verb, resource }: Pick<AuditedRequest, "verb" | "resource">): string {
  return `${verb} ${resource}`;
}
