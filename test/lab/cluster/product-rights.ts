import type { KubeApi, KubeObject } from "./kube-api.ts";

/** What the product watches, each a right of its own. */
export const RESOURCES = ["pods", "services", "endpointslices"] as const;
export type Resource = (typeof RESOURCES)[number];

const ROLES = "/apis/rbac.authorization.k8s.io/v1";

/** The user that has the product's rights until this one is taken away. */
export function userWithout(resource: Resource): string {
  return `tcpretrans-no-${resource}`;
}

/** Those who run the product: the first with all that it needs and no more, the others until a test takes one right. */
export const PRODUCT_USERS: readonly string[] = ["tcpretrans", ...RESOURCES.map(userWithout)];

/** Gives every user of the product its rights. */
export async function grantProduct(api: KubeApi): Promise<void> {
  for (const name of PRODUCT_USERS) {
    await api.create(`${ROLES}/clusterroles`, { metadata: { name }, rules: rules() });
    await api.create(`${ROLES}/clusterrolebindings`, {
      metadata: { name },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name }],
    });
  }
}

/** Takes a right from the user that is there to lose it. */
export function takeRight(api: KubeApi, resource: Resource): Promise<KubeObject> {
  return api.patch(`${ROLES}/clusterroles/${userWithout(resource)}`, { rules: rules(resource) });
}

export function giveRightBack(api: KubeApi, resource: Resource): Promise<KubeObject> {
  return api.patch(`${ROLES}/clusterroles/${userWithout(resource)}`, { rules: rules() });
}

function rules(without?: Resource): readonly object[] {
  const all = [
    ["", "pods", ["list", "watch"]],
    ["", "services", ["list", "watch"]],
    ["discovery.k8s.io", "endpointslices", ["list", "watch"]],
    ["", "nodes", ["list"]],
    ["networking.k8s.io", "servicecidrs", ["list"]],
  ] as const;
  return all
    .filter(([, resource]) => resource !== without)
    .map(([group, resource, verbs]) => ({ apiGroups: [group], resources: [resource], verbs }));
}
