import type { EndName } from "../event/end-name.ts";
import type { SocketFields } from "../event/tcp-event.ts";
import { namedEnd, UNKNOWN_END } from "./ends.ts";
import { type Moment, namespaceOf } from "./moment.ts";
import { peerPod } from "./peer-parts.ts";
import { thisNode } from "./this-node.ts";

/**
 * Who a peer in the socket's own network namespace is, as on the loopback device: the pod, whichever container it is;
 * in the host's namespace this node, since any process or hostNetwork pod may be there.
 */
export function inSameNamespace({ netns }: SocketFields, local: EndName, moment: Moment): EndName {
  const { cluster } = moment.sources;
  const space = netns === undefined ? undefined : namespaceOf(netns, moment);
  if (space?.kind === "host") return thisNode(moment.sources);
  // Of a pod by its cgroup, because an inode number of a namespace may be another's by now.
  if (local.pod !== undefined && !local.pod.hostNetwork) {
    return peerPod(local.pod, { method: local.method, services: [], moment });
  }
  switch (space?.kind) {
    case "pod": {
      const pod = cluster.podByUid(space.podUid);
      return pod === undefined ? UNKNOWN_END : peerPod(pod, { method: "netns", services: [], moment });
    }
    case "process": {
      if (space.name === undefined) return UNKNOWN_END;
      return namedEnd("process", space.name, { method: "netns", node: thisNode(moment.sources).node });
    }
    case "stale":
      return UNKNOWN_END;
    case undefined:
      return local.kind === "node" ? local : UNKNOWN_END;
  }
}
