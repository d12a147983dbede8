import { join } from "node:path/posix";

/** What a cgroup's path says about who is in it. */
export type CgroupPathOwner =
  /** `containerId` is undefined for the pod's own cgroup, and for what is in it but is no container (conmon). */
  | { readonly kind: "pod"; readonly podUid: string; readonly containerId: string | undefined }
  /** Outside Kubernetes: the systemd unit, the plain container, or else the path. */
  | { readonly kind: "process"; readonly name: string };

/** kubelet's pod slice; its systemd driver writes the dashes of a uid as `_` (cm/cgroup_manager_linux.go). */
const POD_SLICE = /^(?:.+-)?kubepods(?:-burstable|-besteffort)?-pod(.+)\.slice$/;

/** `<64 hex>` alone, or as runtimes dress it: `cri-containerd-….scope`, `crio-….scope`, `docker-….scope`, `kata_…`. */
const CONTAINER = /^(?:([a-z][a-z0-9_-]*)[-_])?([0-9a-f]{64})(?:\.scope)?$/;

const UNIT = /\.(?:service|scope|socket|mount|swap)$/;

/**
 * Tells the owner from the path of a cgroup (below its mount, or as in /proc/PID/cgroup). In a pod within a pod
 * the outer one counts. Undefined for the root: on a cgroup v1 host every socket is there, so it tells nothing.
 */
export function parseCgroupPath(path: string): CgroupPathOwner | undefined {
  const names = path
    .split("/")
    .filter((name) => name !== "" && name !== "..")
    .flatMap(splitAtColons);
  if (names.length === 0) return undefined;
  for (let i = 0; i < names.length; i++) {
    const podUid = podUidAt(names, i);
    if (podUid !== undefined) return { kind: "pod", podUid, containerId: firstContainer(names, i + 1)?.id };
  }
  return { kind: "process", name: plainContainerName(names) ?? unitName(names) ?? shorten(path) };
}

/**
 * Tells the owner from a whole /proc/PID/cgroup, whose lines are `id:controllers:path`: a pod where any hierarchy
 * says so, else what the v2 line says, else systemd's own of cgroup v1. The path of v2 is relative to `base`, the
 * root of the reader's cgroup namespace: one that holds only the reader's pod shows the next pod as `/../pod<uid>`.
 */
export function parseProcessCgroups(
  text: string,
  { base }: { readonly base: string },
): CgroupPathOwner | undefined {
  let process: CgroupPathOwner | undefined;
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":", line.indexOf(":") + 1);
    if (colon < 0) continue;
    const isV2 = line.startsWith("0::");
    const path = line.slice(colon + 1);
    const owner = parseCgroupPath(isV2 ? join(base, path) : path);
    if (owner?.kind === "pod") return owner;
    if (isV2) process = owner ?? process;
    else if (line.includes(":name=systemd:")) process ??= owner;
  }
  return process;
}

/** containerd told to use cgroupfs below kubelet's systemd slices makes `<slice>:cri-containerd:<id>` one name. */
function splitAtColons(name: string): readonly string[] {
  return CONTAINER.test(name.slice(name.lastIndexOf(":") + 1)) ? name.split(":") : [name];
}

/** `kubepods-…-pod<uid>.slice`, or `pod<uid>` below `kubepods` or one of its QoS levels. */
function podUidAt(names: readonly string[], index: number): string | undefined {
  const name = names[index] ?? "";
  const slice = POD_SLICE.exec(name)?.[1];
  if (slice !== undefined) return slice.replaceAll("_", "-");
  if (!name.startsWith("pod") || name === "pod") return undefined;
  const above = names[index - 1];
  const level = above === "burstable" || above === "besteffort" ? names[index - 2] : above;
  return level === "kubepods" ? name.slice("pod".length) : undefined;
}

interface ContainerName {
  readonly id: string;
  /** The runtime's own prefix, or the name of the directory around it. */
  readonly prefix: string | undefined;
}

function firstContainer(names: readonly string[], from: number): ContainerName | undefined {
  for (let i = from; i < names.length; i++) {
    const [, prefix, id] = CONTAINER.exec(names[i] ?? "") ?? [];
    if (id === undefined || prefix?.endsWith("conmon")) continue; // crio-conmon-….scope: the container's monitor
    return { id, prefix: prefix ?? names[i - 1] };
  }
  return undefined;
}

/** `docker-3f2a9c1b7d4e`: the runtime, and the id as short as its own commands print it. */
function plainContainerName(names: readonly string[]): string | undefined {
  const container = firstContainer(names, 0);
  if (container === undefined) return undefined;
  const { prefix, id } = container;
  return prefix === undefined ? shorten(id) : `${prefix}-${shorten(id)}`;
}

/** The innermost unit; a session manager's own `init.scope` is that manager. */
function unitName(names: readonly string[]): string | undefined {
  const units = names.filter((name) => UNIT.test(name));
  if (units.length > 1 && units.at(-1) === "init.scope") units.pop();
  const last = names.at(-1);
  return shorten(units.at(-1) ?? (last?.endsWith(".slice") ? last : "")) || undefined;
}

function shorten(text: string): string {
  return text.replace(/[0-9a-f]{64}/g, (id) => id.slice(0, 12));
}
