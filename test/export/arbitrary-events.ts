import fc from "fast-check";
import {
  ATTRIBUTION_METHODS,
  type EndName,
  type Ends,
  HINTS,
  OWNER_KINDS,
} from "../../src/event/end-name.ts";
import { CAUSES, OUTCOMES, type SocketKey, type TcpEvent } from "../../src/event/tcp-event.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { CART, NIGHTLY, NODE_A, NODE_B, PRICES } from "./some-ends.ts";

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const port = fc.integer({ min: 0, max: 65535 });
const seconds = fc.double({ min: 0, max: 1e6, noNaN: true });

const sockets = fc
  .record({
    key: fc.constant(1 as SocketKey),
    state: fc.integer({ min: 0, max: 14 }),
    address: fc.oneof(
      fc.record({ ipVersion: fc.constant(4 as const), local: fc.ipV4(), peer: fc.ipV4() }),
      fc.record({ ipVersion: fc.constant(6 as const), local: fc.ipV6(), peer: fc.ipV6() }),
    ),
    localPort: port,
    peerPort: port,
    netns: maybe(u32),
    cgroupId: maybe(u64),
    caState: maybe(fc.integer({ min: 0, max: 7 })),
    pending: maybe(u32),
    retransmits: maybe(u32),
    backoff: maybe(u32),
    rto: maybe(seconds),
    srtt: maybe(seconds),
    cwnd: maybe(u32),
    mss: maybe(u32),
    packetsOut: maybe(u32),
    retransOut: maybe(u32),
    lostOut: maybe(u32),
    totalRetrans: maybe(u32),
    bytesRetrans: maybe(u64),
    seq: maybe(u32),
    endSeq: maybe(u32),
    sinceAck: maybe(fc.double({ min: 0, noNaN: true })),
    tcpFlags: maybe(fc.integer({ min: 0, max: 255 })),
  })
  .map(({ address: { ipVersion, local, peer }, ...socket }) => ({
    ...socket,
    ipVersion,
    localAddress: local,
    peerAddress: peer,
  }));

/** Events of every kind, also such as no kernel makes. */
export const events: fc.Arbitrary<TcpEvent> = fc.record({
  kind: fc.constantFrom("retransmit" as const, "loss_probe" as const),
  time: fc.nat().map(traceNanos),
  cpu: fc.nat(),
  pid: fc.nat(),
  rung: fc.constantFrom("kprobe" as const, "eprobe" as const, "tracepoint" as const),
  cause: fc.constantFrom(...CAUSES),
  outcome: fc.constantFrom(...OUTCOMES),
  error: maybe(fc.integer({ min: -140, max: 3 })),
  segments: maybe(u32),
  socket: sockets,
  stack: maybe(fc.array(u64, { maxLength: 5 })),
});

const endNames: fc.Arbitrary<EndName> = fc.record({
  kind: fc.constantFrom(...OWNER_KINDS),
  name: fc.string({ unit: "binary" }),
  method: fc.constantFrom(...ATTRIBUTION_METHODS),
  pod: maybe(fc.constantFrom(CART, NIGHTLY, { ...CART, namespace: 'a"b\\c\n', nodeName: undefined })),
  container: maybe(fc.string()),
  service: maybe(fc.constant(PRICES)),
  candidates: fc.constantFrom([], [PRICES, { ...PRICES, name: "other" }]),
  node: maybe(fc.constantFrom(NODE_A, NODE_B)),
  hint: maybe(fc.record({ kind: fc.constantFrom(...HINTS), ageSeconds: maybe(seconds) })),
});
/** Names of both ends. */
export const ends: fc.Arbitrary<Ends> = fc.record({
  ownership: fc.constantFrom("own" as const, "undetermined" as const),
  local: endNames,
  peer: endNames,
});

/** Unix times in ns: 1970 to 2262, where 64-bit nanoseconds end. */
export const times = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
