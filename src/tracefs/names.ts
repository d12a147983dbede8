/** What our instances' directories begin with; the rest is the id. */
export const INSTANCE_PREFIX = "tcpretrans-";

/** What our event groups begin with; the rest is the id. Groups are C identifiers: no dash. */
export const GROUP_PREFIX = "tcpretrans_";

const ID = /^[0-9a-f]{8}$/;

/** The id (8 hex digits) in the name of an instance or group of ours, undefined for anyone else's. */
export function idOf(name: string, prefix: typeof INSTANCE_PREFIX | typeof GROUP_PREFIX): string | undefined {
  if (!name.startsWith(prefix)) return undefined;
  const id = name.slice(prefix.length);
  return ID.test(id) ? id : undefined;
}

/** Throws RangeError for a group that does not carry our prefix: other tools' probes are never touched. */
export function assertOurGroup(group: string): void {
  if (idOf(group, GROUP_PREFIX) === undefined) throw new RangeError(`Cannot use group "${group}": not ours`);
}
