import type { EndName, Ends, Hint } from "../event/end-name.ts";

/**
 * The words of the columns SOURCE and DESTINATION: the local end, with `?` where the event may be another node's, and
 * the peer with what its state explains.
 */
export function formatEnds({ ownership, local, peer }: Ends): {
  readonly source: string;
  readonly destination: string;
} {
  const hint = peer.hint === undefined ? "" : ` [${formatHint(peer.hint)}]`;
  return {
    source: `${formatEndName(local)}${ownership === "undetermined" ? "?" : ""}`,
    destination: `${formatEndName(peer)}${hint}`,
  };
}

/**
 * An end in a word: `shop/cart-7d4f9c-x2x` of a pod, `svc shop/cart (shop/cart-7d4f9c-x2x)` of one behind a service,
 * `(svc cart or cart-canary)` after it where more than one may have been meant, `node node-b`, else the name alone.
 */
export function formatEndName(end: EndName): string {
  const { kind, service, candidates, node } = end;
  const name = printable(end.name);
  if (kind === "node") return `node ${name}`;
  if (kind === "service")
    return node === undefined ? `svc ${name}` : `svc ${name} (node ${printable(node.name)})`;
  if (service !== undefined) return `svc ${printable(`${service.namespace}/${service.name}`)} (${name})`;
  if (candidates.length === 0) return name;
  return `${name} (svc ${printable(candidates.map((candidate) => candidate.name).join(" or "))})`;
}

/** `pod deleted 14 s ago`, `node cordoned`. */
function formatHint({ kind, ageSeconds }: Hint): string {
  const words = kind.replaceAll("_", " ");
  if (ageSeconds === undefined) return words;
  const age = formatAge(ageSeconds);
  return kind === "pod_deleted" ? `${words} ${age} ago` : `${words} for ${age}`;
}

function formatAge(seconds: number): string {
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  return seconds < 7200 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`;
}

/** Names are others' words: nothing in them may steer a terminal. */
function printable(text: string): string {
  return CONTROL.test(text) ? text.replace(EVERY_CONTROL, "?") : text;
}

const CONTROL = /\p{C}/u;
const EVERY_CONTROL = /\p{C}/gu;
