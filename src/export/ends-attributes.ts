import type { EndName, Ends } from "../event/end-name.ts";
import { ATTRIBUTES as A, type Attribute } from "./attributes.ts";

/** The names of both ends as flat attributes in the order of ATTRIBUTES. */
export function endsAttributes({ ownership, local, peer }: Ends): readonly Attribute[] {
  const source = parts(local);
  const destination = parts(peer);
  return [
    [A.ownership, ownership === "own" ? undefined : ownership],
    [A.sourceKind, local.kind],
    [A.sourceName, local.name],
    [A.sourceAttribution, local.method],
    [A.sourceNamespace, source.namespace],
    [A.sourcePod, source.pod?.name],
    [A.sourcePodUid, source.pod?.uid],
    [A.sourceContainer, local.container],
    [A.sourceWorkloadKind, source.pod?.workload.kind],
    [A.sourceWorkloadName, source.pod?.workload.name],
    [A.sourceWorkloadInferred, source.inferred],
    [A.sourceNode, source.node],
    [A.sourceZone, local.node?.zone],
    [A.destinationKind, peer.kind],
    [A.destinationName, peer.name],
    [A.destinationAttribution, peer.method],
    [A.destinationHint, peer.hint?.kind],
    [A.destinationHintAge, peer.hint?.ageSeconds],
    [A.destinationService, peer.service?.name],
    [A.destinationCandidates, destination.candidates],
    [A.destinationNamespace, destination.namespace],
    [A.destinationPod, destination.pod?.name],
    [A.destinationPodUid, destination.pod?.uid],
    [A.destinationContainer, peer.container],
    [A.destinationWorkloadKind, destination.pod?.workload.kind],
    [A.destinationWorkloadName, destination.pod?.workload.name],
    [A.destinationWorkloadInferred, destination.inferred],
    [A.destinationNode, destination.node],
    [A.destinationZone, peer.node?.zone],
  ];
}

function parts({ pod, service, candidates, node }: EndName) {
  return {
    pod,
    namespace: (pod ?? service)?.namespace,
    /** Only where it is so: a workload told by a pattern in names. */
    inferred: pod?.workload.inferred === true ? true : undefined,
    candidates: candidates.length === 0 ? undefined : candidates.map((candidate) => candidate.name),
    node: node?.name ?? pod?.nodeName,
  };
}
