import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { TcpEvent } from "../../src/event/tcp-event.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { ATTRIBUTES } from "../../src/export/attributes.ts";
import { eventAttributes } from "../../src/export/event-attributes.ts";
import { logRecordMaker } from "../../src/export/log-record.ts";
import { anEvent, EVERY_FIELD } from "./an-event.ts";
import { ends, events, times } from "./arbitrary-events.ts";
import { anEnd, CART, CART_END, PRICES_END, someEnds } from "./some-ends.ts";

const EPOCH = 1_795_412_152_000_000_000n;
const unixNanos = (time: number) => EPOCH + BigInt(time);
const CONTEXT = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };

/** Events that tell all, all but a round-trip time, nothing, or some of what a socket may tell. */
const ofEveryKind = fc
  .tuple(events, fc.constantFrom("whole", "no srtt", "bare", "some"), fc.nat(9))
  .map(([event, kind, port]): TcpEvent => {
    const socket = { ...event.socket, localPort: port };
    const none = Object.fromEntries(Object.keys(EVERY_FIELD).map((field) => [field, undefined]));
    if (kind === "whole") return { ...event, socket: { ...socket, ...EVERY_FIELD } };
    if (kind === "no srtt") return { ...event, socket: { ...socket, ...EVERY_FIELD, srtt: undefined } };
    return kind === "bare" ? { ...event, socket: { ...socket, ...none } } : { ...event, socket };
  });

test("logRecordMaker() gives the attributes of eventAttributes() without the time and the name, whatever came before", () => {
  const named = fc.tuple(ofEveryKind, fc.option(ends, { nil: undefined }));
  fc.assert(
    fc.property(
      fc.array(named, { minLength: 1, maxLength: 6 }),
      times,
      fc.boolean(),
      (list, time, stacks) => {
        const stackNames = stacks ? (stack: readonly bigint[]) => stack.map(String) : undefined;
        const make = logRecordMaker({ unixNanos: () => time, stackNames });
        // Each twice: the second finds what the first has left.
        for (const [event, ends] of [...list, ...list]) {
          const entry = make({ event, ends }, CONTEXT);
          const all: Record<string, unknown> = { ...eventAttributes(event, time, { ends, stackNames }) };
          assert.equal(entry.eventName, all[ATTRIBUTES.eventName]);
          delete all[ATTRIBUTES.timestamp];
          delete all[ATTRIBUTES.eventName];
          assert.deepEqual(entry.attributes, all);
          assert.deepEqual(
            { time: entry.timeUnixNanos, pod: entry.pod, context: entry.context },
            { time, pod: ends?.ownership === "own" ? ends.local.pod : undefined, context: CONTEXT },
          );
        }
      },
    ),
    { numRuns: 500 },
  );
});

test("logRecordMaker() writes one line in perf-tools' form, with the names", () => {
  const make = logRecordMaker({ unixNanos });
  const body = (event: TcpEvent, named = true) => {
    const { name, ...rest } = CART_END;
    const local = { ...rest, name: "default/web-0", pod: CART };
    const ends = someEnds({ ...PRICES_END, name: "default/db-1" }, { local });
    return make({ event, ends: named ? ends : undefined }, undefined).body;
  };
  assert.equal(
    body(anEvent({ cause: "timeout" })),
    "10.150.18.225:53874 R> 10.105.152.3:6001 ESTABLISHED timeout default/web-0 -> svc shop/prices (default/db-1)",
  );
  assert.equal(
    body(anEvent({ cause: "fast" }), false),
    "10.150.18.225:53874 R> 10.105.152.3:6001 ESTABLISHED fast",
  );
  const socket = { ipVersion: 6, localAddress: "fd09::1", peerAddress: "fd09::2", state: 12 } as const;
  assert.equal(
    body(anEvent({ cause: "syn_ack", socket }), false),
    "[fd09::1]:53874 R> [fd09::2]:6001 NEW_SYN_RECV syn_ack",
  );
  assert.equal(
    body(anEvent({ cause: "timeout", outcome: "failed", error: -16 }), false),
    "10.150.18.225:53874 R> 10.105.152.3:6001 ESTABLISHED timeout failed:EBUSY",
  );
  assert.equal(
    body(anEvent({ kind: "loss_probe", cause: "tail_loss_probe", outcome: "new_data" }), false),
    "10.150.18.225:53874 L> 10.105.152.3:6001 ESTABLISHED tail_loss_probe new_data",
  );
});

test("logRecordMaker() writes what a peer's state explains, and that an event may be another node's", () => {
  const peer = anEnd({ name: "shop/db-1", hint: { kind: "pod_deleted", ageSeconds: 14.2 } });
  const { body } = logRecordMaker({ unixNanos })(
    { event: anEvent(), ends: someEnds(peer, { ownership: "undetermined" }) },
    undefined,
  );
  assert.ok(body.endsWith(" fast shop/cart-7d4f9c-x2x? -> shop/db-1 [pod deleted 14 s ago]"), body);
});

test("logRecordMaker() calls a request socket's state syn_received, and keeps the kernel's name of it", () => {
  const event = anEvent({ cause: "syn_ack", socket: { state: 12 } });
  const { attributes } = logRecordMaker({ unixNanos })({ event, ends: undefined }, undefined);
  assert.equal(attributes["network.connection.state"], "syn_received");
  assert.equal(attributes["tcp.state"], "NEW_SYN_RECV");
  assert.equal(attributes["network.tcp.retransmit.type"], "syn_ack");
});

test("logRecordMaker() takes the kernel's time", () => {
  const event = anEvent({ time: traceNanos(1_000_000_042) });
  assert.equal(
    logRecordMaker({ unixNanos })({ event, ends: undefined }, undefined).timeUnixNanos,
    EPOCH + 1_000_000_042n,
  );
});
