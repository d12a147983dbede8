import type { Ends } from "../event/end-name.ts";
import type { SocketFields } from "../event/tcp-event.ts";
import { ATTRIBUTES as A, type AttributeValue, CONNECTION_STATES, stateName } from "./attributes.ts";
import { isSameConnection } from "./by-connection.ts";
import { endsAttributes } from "./ends-attributes.ts";
import { formatEnds } from "./format-end-name.ts";
import { formatEnd } from "./table.ts";

/** What all records of a connection share as long as its state and its names stay. */
export interface RecordConnection {
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** `10.0.1.2:443`. */
  readonly local: string;
  /** `10.0.2.3:51234 ESTABLISHED`. */
  readonly peer: string;
  /** ` default/web-0 -> svc default/db (default/db-1)`, with the blank before it; empty without names. */
  readonly names: string;
}

/** Bounds the memory: connections whose part is kept, a power of two. */
const SLOTS = 1024;

interface Slot {
  readonly socket: SocketFields;
  readonly ends: Ends | undefined;
  readonly value: RecordConnection;
}

/** Makes a connection's part of its records, and remembers it. */
export function recordConnections(): (socket: SocketFields, ends: Ends | undefined) => RecordConnection {
  const slots: (Slot | undefined)[] = new Array(SLOTS).fill(undefined);
  return (socket, ends) => {
    const index = (socket.localPort + 31 * socket.peerPort) & (SLOTS - 1);
    const slot = slots[index];
    if (slot !== undefined && slot.ends === ends && isSameConnection(slot.socket, socket)) return slot.value;
    const value = recordConnection(socket, ends);
    slots[index] = { socket, ends, value };
    return value;
  };
}

/** A connection's part of its records, made anew. */
export function recordConnection(socket: SocketFields, ends: Ends | undefined): RecordConnection {
  const { localAddress, localPort, peerAddress, peerPort, ipVersion, state } = socket;
  return {
    attributes: connectionAttributes(socket, ends),
    local: formatEnd(localAddress, localPort, ipVersion),
    peer: `${formatEnd(peerAddress, peerPort, ipVersion)} ${stateName(state)}`,
    names: ends === undefined ? "" : ` ${formatArrow(ends)}`,
  };
}

function formatArrow(ends: Ends): string {
  const { source, destination } = formatEnds(ends);
  return `${source} -> ${destination}`;
}

function connectionAttributes(
  { localAddress, localPort, peerAddress, peerPort, ipVersion, state }: SocketFields,
  ends: Ends | undefined,
): Readonly<Record<string, AttributeValue>> {
  const attributes: Record<string, AttributeValue> = {
    [A.sourceAddress]: localAddress,
    [A.sourcePort]: localPort,
    [A.destinationAddress]: peerAddress,
    [A.destinationPort]: peerPort,
    [A.networkType]: ipVersion === 4 ? "ipv4" : "ipv6",
    [A.networkTransport]: "tcp",
    [A.tcpState]: stateName(state),
  };
  const connectionState = CONNECTION_STATES[state];
  if (connectionState !== undefined) attributes[A.connectionState] = connectionState;
  for (const [key, value] of ends === undefined ? [] : endsAttributes(ends)) {
    if (value !== undefined) attributes[key] = value;
  }
  return { ...attributes };
}
