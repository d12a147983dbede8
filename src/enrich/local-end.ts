import type { AttributionMethod, EndName } from "../event/end-name.ts";
import type { SocketFields } from "../event/tcp-event.ts";
import { namedEnd, UNKNOWN_END } from "./ends.ts";
import { findByLocalAddress } from "./local-by-address.ts";
import { type LocalFinding, ofPod } from "./local-parts.ts";
import type { NameSources, NamespaceOwner } from "./lookups.ts";
import { awaitsSight, type Moment, namespaceOf } from "./moment.ts";
import { thisNode } from "./this-node.ts";

/** Id of the root of the cgroup v2 hierarchy, where no pod is (kernel/cgroup/cgroup.c, cgroup_setup_root()). */
const ROOT_CGROUP = 1n;

/**
 * Who retransmitted, and whether this node counts it. The socket's cgroup comes first, because an inode number of a
 * namespace may be another's by now; then the namespace; the address only where neither is told.
 */
export function findLocal(socket: SocketFields, moment: Moment): LocalFinding {
  const { host } = moment.sources;
  const { cgroupId, netns } = socket;
  const owner = cgroupId === undefined ? undefined : host.cgroup(cgroupId);
  if (owner?.kind === "pod") {
    const { podUid, containerId } = owner;
    return ofPod(podUid, { method: "cgroup", containerId, netns, moment });
  }
  if (netns === undefined) {
    const found = findByLocalAddress(socket, moment);
    return owner === undefined ? found : { ...found, end: ofProcess(owner.name, "cgroup", moment.sources) };
  }
  const space = namespaceOf(netns, moment);
  // Also a namespace of this node that came and went before the host looked at it: such events are lost from the names.
  if (space === undefined) return { ownership: "foreign", end: UNKNOWN_END, awaits: `netns ${netns}` };
  if (space.kind === "stale") {
    return { ...findByLocalAddress(socket, moment), awaits: awaitsSight(netns, moment) };
  }
  if (owner !== undefined) return own(ofProcess(owner.name, "cgroup", moment.sources));
  return ofNamespace(space, { socket, netns, moment });
}

/** The process or unit that holds a namespace or a cgroup outside Kubernetes, on this node. */
function ofProcess(name: string, method: AttributionMethod, sources: NameSources): EndName {
  return namedEnd("process", name, { method, node: thisNode(sources).node });
}

interface InNamespace {
  readonly socket: SocketFields;
  readonly netns: number;
  readonly moment: Moment;
}

function ofNamespace(
  space: Exclude<NamespaceOwner, { readonly kind: "stale" }>,
  { socket, netns, moment }: InNamespace,
): LocalFinding {
  const { sources } = moment;
  switch (space.kind) {
    case "pod":
      return ofPod(space.podUid, { method: "netns", netns, moment });
    case "host":
      // It may be a hostNetwork pod's whose cgroup is not known yet.
      return { ownership: "own", end: thisNode(sources), awaits: awaitsCgroup(socket) };
    case "process": {
      if (space.name !== undefined) return own(ofProcess(space.name, "netns", sources));
      // Held by something that says nothing: a pod's before its first process, or any while the host's own is not known.
      const found = findByLocalAddress(socket, moment);
      return found.end.kind === "unknown" ? { ...found, awaits: `netns ${netns}` } : found;
    }
  }
}

function awaitsCgroup({ cgroupId }: SocketFields): string | undefined {
  return cgroupId === undefined || cgroupId === ROOT_CGROUP ? undefined : `cgroup ${cgroupId}`;
}

function own(end: EndName): LocalFinding {
  return { ownership: "own", end, awaits: undefined };
}
