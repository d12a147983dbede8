import { RESOURCE_ATTRIBUTES as R } from "../attributes.ts";

/** Who exports. */
export interface AgentIdentity {
  /** OTEL_SERVICE_NAME; undefined leaves it to the attributes, else `tcpretrans`. */
  readonly serviceName: string | undefined;
  readonly version: string;
  /** The agent's own pod, where it runs in one. */
  readonly self:
    | { readonly namespace: string; readonly pod: string; readonly container: string | undefined }
    | undefined;
  /** The host's own name; in a pod that is not os.hostname(). */
  readonly hostName: string;
  /** The node's name in Kubernetes. */
  readonly nodeName: string | undefined;
  readonly clusterName: string | undefined;
  /** Of the configuration (OTEL_RESOURCE_ATTRIBUTES): these go first, but for a serviceName. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** The agent's resource attributes; nothing in them is made up at the start. */
export function agentResource(identity: AgentIdentity): Readonly<Record<string, string>> {
  const { serviceName, version, self, hostName, nodeName, clusterName, attributes } = identity;
  const parts: Readonly<Record<string, string | undefined>> = {
    [R.serviceName]: "tcpretrans",
    [R.serviceVersion]: version,
    [R.serviceInstanceId]: instanceId(identity),
    [R.hostName]: nodeName ?? hostName,
    [R.nodeName]: nodeName,
    [R.clusterName]: clusterName,
    [R.namespaceName]: self?.namespace,
    [R.podName]: self?.pod,
    [R.containerName]: self?.container,
    ...attributes,
    ...(serviceName === undefined ? {} : { [R.serviceName]: serviceName }),
  };
  return Object.fromEntries(
    Object.entries(parts).filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
}

/** By the semantic conventions' rule for pods: the same after a restart of the container, another for another pod. */
function instanceId({ self, hostName }: AgentIdentity): string {
  if (self === undefined) return hostName;
  return [self.namespace, self.pod, ...(self.container === undefined ? [] : [self.container])].join(".");
}
