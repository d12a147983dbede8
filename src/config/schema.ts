import * as v from "valibot";

/** A range of addresses in CIDR notation, or one address. */
const cidr = v.pipe(
  v.string(),
  v.check(isCidr, "give an address or a CIDR range, such as 10.0.0.0/8 or 2001:db8::/32"),
);

const name = v.pipe(v.string(), v.regex(/^[^\s=]+$/, "give a name without blanks and equals signs"));

/** Every setting with its type, bounds and default: the one place that says what a configuration may hold. */
export const CONFIG_SCHEMA = v.strictObject({
  kubernetes: v.strictObject({
    /** File to find the API server with; by default as kubectl does, and inside a pod its service account. */
    kubeconfig: v.optional(v.pipe(v.string(), v.minLength(1, "give the name of a file"))),
    /** This node's name in the API; by default the node with this host's name or one of its addresses. */
    nodeName: v.optional(v.pipe(v.string(), v.minLength(1, "give the node's name in Kubernetes"))),
    /** Pods that are watched: this node's alone, or all. */
    scope: v.optional(v.picklist(["local", "cluster"], "give one of local, cluster"), "cluster"),
    /** Ranges of pods, services and nodes beside those that the API tells: what lies in them is never external. */
    clusterCidrs: v.optional(v.array(cidr), []),
    /** Read the ServiceCIDRs too: needs the permission to list servicecidrs.networking.k8s.io. */
    serviceCidrs: v.optional(v.boolean(), false),
    /** Services are resolved at the socket (Cilium's kube-proxy replacement): name them from EndpointSlices. */
    socketLevelServices: v.optional(v.boolean(), false),
    /** How long and how many of what is gone stay known by their addresses. */
    tombstones: v.strictObject({
      seconds: v.optional(wholeNumber(0, 86_400), 600),
      count: v.optional(wholeNumber(0, 1_000_000), 20_000),
    }),
  }),
  names: v.strictObject({
    /** Names of ranges outside the cluster. */
    cidrs: v.optional(v.array(v.strictObject({ name, cidr })), []),
  }),
});

/** What the program runs with: complete and frozen. */
export type Config = v.InferOutput<typeof CONFIG_SCHEMA>;

function wholeNumber(min: number, max: number) {
  const message = `give a whole number from ${min} to ${max}`;
  return v.pipe(v.number(message), v.integer(message), v.minValue(min, message), v.maxValue(max, message));
}

function isCidr(text: string): boolean {
  const [address = "", prefix, ...rest] = text.split("/");
  const bits = v.is(IPV4, address) ? 32 : v.is(IPV6, address) ? 128 : -1;
  if (rest.length > 0 || bits < 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits);
}

const IPV4 = v.pipe(v.string(), v.ipv4());
const IPV6 = v.pipe(v.string(), v.ipv6());
