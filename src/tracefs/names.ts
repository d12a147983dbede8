/** What our instances' directories begin with. */
const INSTANCE_PREFIX = "tcpretrans-";

/** What our event groups begin with; the rest is the id. Groups are C identifiers: no dash. */
export const GROUP_PREFIX = "tcpretrans_";

const ID = /^[0-9a-f]{8}$/;
const AGENT = /^agent-([0-9a-f]{8})-([0-9a-f]{11})-([0-9a-f]{8})$/;

/** What an agent's instance tells other agents. */
export interface AgentMark {
  /** Whose agent it is, as nodeMark() has it: several nodes may share a kernel. */
  readonly node: string;
  /** CLOCK_MONOTONIC when it began, in whole ms: the order of agents on a node. */
  readonly startedMs: number;
}

/** Who an instance of ours is. */
export interface InstanceName {
  /** 8 hex digits; also of its event group. */
  readonly id: string;
  /** Undefined for what a person runs on a terminal. */
  readonly agent: AgentMark | undefined;
}

/** The name of an instance's directory: `tcpretrans-ID`, or `tcpretrans-agent-NODE-STARTED-ID`. */
export function formatInstanceName({ id, agent }: InstanceName): string {
  if (agent === undefined) return INSTANCE_PREFIX + id;
  const started = Math.floor(agent.startedMs).toString(16).padStart(11, "0");
  return `${INSTANCE_PREFIX}agent-${agent.node}-${started}-${id}`;
}

/** Reads the name of an instance's directory; undefined for anyone else's. */
export function parseInstanceName(name: string): InstanceName | undefined {
  if (!name.startsWith(INSTANCE_PREFIX)) return undefined;
  const rest = name.slice(INSTANCE_PREFIX.length);
  if (ID.test(rest)) return { id: rest, agent: undefined };
  const [, node, started, id] = AGENT.exec(rest) ?? [];
  if (node === undefined || started === undefined || id === undefined) return undefined;
  return { id, agent: { node, startedMs: Number.parseInt(started, 16) } };
}

/** A node's name as 8 hex digits (FNV-1a): directory names have a bound, and names of nodes have dots. */
export function nodeMark(nodeName: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(nodeName)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

/** The id (8 hex digits) in the name of an event group of ours, undefined for anyone else's. */
export function groupIdOf(name: string): string | undefined {
  if (!name.startsWith(GROUP_PREFIX)) return undefined;
  const id = name.slice(GROUP_PREFIX.length);
  return ID.test(id) ? id : undefined;
}

/** Throws RangeError for a group that does not carry our prefix: other tools' probes are never touched. */
export function assertOurGroup(group: string): void {
  if (groupIdOf(group) === undefined) throw new RangeError(`Cannot use group "${group}": not ours`);
}
