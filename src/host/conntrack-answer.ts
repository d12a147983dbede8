/** A connection as one of its sockets names it; addresses in the text form of event/ip-address.ts. */
export interface ConntrackPair {
  readonly ipVersion: 4 | 6;
  readonly localAddress: string;
  readonly localPort: number;
  readonly peerAddress: string;
  readonly peerPort: number;
}

/**
 * What an entry of connection tracking makes of the socket's peer. An entry has two tuples: the original one, as
 * the opener's packets came in, and the reply one, as answers come in. They are each other reversed where nothing
 * is translated; DNAT changes reply.src, masquerade (SNAT) changes reply.dst. Which tuple the socket's own pair
 * (local → peer) equals tells which end of the connection it is:
 *
 * | case, as `orig.src→orig.dst \| reply.src→reply.dst` | the opener's socket: pair = orig | the answerer's socket: pair = reply |
 * |---|---|---|
 * | plain `C→S \| S→C` | nothing | nothing |
 * | DNAT `C→V \| S→C` (service V, backend S) | peer V is S, `backend` | nothing: it calls its peer C already |
 * | masquerade `C→S \| S→M` | nothing | peer M is C, `client` |
 * | both `C→V \| S→M` | peer V is S, `backend` | peer M is C, `client` |
 * | hairpin `C→V \| C→M` (C is its own backend) | peer V is C, `backend` | peer M is C, `client` |
 *
 * So each end learns only what stands behind its own peer. An end's own address can be translated too (the
 * opener's in masquerade, the answerer's in DNAT): its socket does not know, and needs no name for it. A pair
 * that another node translated has no such entry here, or an entry without a translation.
 */
export interface ConntrackTranslation {
  readonly address: string;
  readonly port: number;
  /** `backend`: the socket opened the connection; `client`: it answered. */
  readonly side: "backend" | "client";
}

/** Why a look-up gave no answer. */
export const CONNTRACK_ERRORS = [
  /** The message is shorter than its header says, or than any header is. */
  "short_message",
  /** An attribute is longer than what holds it, or shorter than its own header or value. */
  "bad_attribute",
  /** Neither an entry nor an error. */
  "wrong_type",
  /** The entry lacks a tuple, or a part of one. */
  "no_tuple",
  /** The entry is of another connection. */
  "other_connection",
  /** The kernel had not answered when the request returned. */
  "no_reply",
  /** ENOBUFS: the socket's buffer overflowed. */
  "overrun",
  /** EPERM: no CAP_NET_ADMIN in the namespace's user namespace. */
  "refused",
  /** Another errno. */
  "errno",
  /** The pair's addresses are none. */
  "bad_address",
  /** The /proc file could not be read. */
  "unreadable",
  /** The /proc file was not read to its end: too long, or too slow. */
  "cut",
  /** More connections waited for the /proc file than may. */
  "too_many",
] as const;
export type ConntrackError = (typeof CONNTRACK_ERRORS)[number];

/** One look-up's result. */
export type ConntrackAnswer =
  /** There is an entry; `translation` is undefined where it gives the peer no other address. */
  | { readonly kind: "entry"; readonly translation: ConntrackTranslation | undefined }
  /** There is no entry: never tracked, not confirmed yet, or timed out. */
  | { readonly kind: "none" }
  | { readonly kind: "failed"; readonly error: ConntrackError }
  /** The answer comes later. */
  | { readonly kind: "pending" };

export const NO_SOURCE_COUNTS: ConntrackSourceCounts = { stale: 0, passes: 0, lines: 0, lastPassMs: 0 };
export const NO_ENTRY = { kind: "none" } as const satisfies ConntrackAnswer;
export const UNTRANSLATED = { kind: "entry", translation: undefined } as const satisfies ConntrackAnswer;

/** What a source did for its answers; 0 where it does no such thing. */
export interface ConntrackSourceCounts {
  /** Netlink answers to earlier requests that came too late for them. */
  readonly stale: number;
  /** Passes over the /proc file, lines read in them, and how long the last took. */
  readonly passes: number;
  readonly lines: number;
  readonly lastPassMs: number;
}

/** Where answers come from. */
export interface ConntrackSource extends Disposable {
  readonly counts: ConntrackSourceCounts;
  /** Never waits; where the answer comes later, the source hands it to whom it was made for. */
  ask(pair: ConntrackPair): ConntrackAnswer;
}
