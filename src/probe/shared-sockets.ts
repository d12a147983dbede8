import type { SocketFields, SocketKey } from "../event/tcp-event.ts";
import type { EventFormat } from "../tracefs/event-format.ts";
import { findField, type NumberReader } from "./field-reader.ts";
import type { AddressReader, SocketAddresses } from "./socket-addresses.ts";

/** Reads the socket of the record at `offset`. */
export type SocketReader = (
  view: DataView,
  offset: number,
  key: SocketKey,
) => SocketFields | "unknown-family";

/** What tells the sockets of a plain tracepoint apart, and all that it tells of them. */
export interface SocketIdentity {
  readonly addresses: AddressReader;
  readonly state: NumberReader | undefined;
  readonly localPort: NumberReader | undefined;
  readonly peerPort: NumberReader | undefined;
}

/** Fields that change from record to record; the kernel's own tracepoints have none of them. */
const CHANGING = [
  "ns",
  "cg",
  "ca",
  "pnd",
  "rtm",
  "bko",
  "rto",
  "srtt",
  "cwnd",
  "mss",
  "pout",
  "rout",
  "lout",
];
const COUNTED = ["tot", "byt", "seq", "end", "tfl"];

/** Bounds the memory: sockets kept, a power of two. */
const SLOTS = 4096;

interface Slot {
  readonly addresses: SocketAddresses;
  readonly socket: SocketFields;
}

/** Where the format tells nothing of a socket but its ends and state, gives one object for all its records. */
export function shareSockets(
  read: SocketReader,
  format: EventFormat,
  identity: SocketIdentity,
): SocketReader {
  if (findField(format, [...CHANGING, ...COUNTED]) !== undefined) return read;
  const { addresses, state, localPort, peerPort } = identity;
  const slots: (Slot | undefined)[] = new Array(SLOTS).fill(undefined);
  return (view, offset, key) => {
    const ends = addresses(view, offset, key);
    if (ends === undefined) return "unknown-family";
    const index = key & (SLOTS - 1);
    const slot = slots[index];
    // The same pair of addresses is the same object, made for this key.
    if (
      slot?.addresses === ends &&
      slot.socket.state === state?.(view, offset) &&
      slot.socket.localPort === localPort?.(view, offset) &&
      slot.socket.peerPort === peerPort?.(view, offset)
    ) {
      return slot.socket;
    }
    const socket = read(view, offset, key);
    if (typeof socket !== "string") slots[index] = { addresses: ends, socket };
    return socket;
  };
}
