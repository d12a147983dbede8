import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionMemory } from "../../src/enrich/connection-memory.ts";
import { TCP_SYN_SENT } from "../../src/event/kernel-tcp.ts";
import type { SocketFields, SocketKey } from "../../src/event/tcp-event.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { anEvent } from "../export/an-event.ts";

const SECOND = 1e9;

function at(seconds: number, socket: Partial<SocketFields> = {}) {
  return anEvent({ time: traceNanos(seconds * SECOND), socket: { key: 1 as SocketKey, ...socket } });
}

test("ConnectionMemory.of() gives the time of a connection's first event", () => {
  const memory = new ConnectionMemory();
  const since = [at(1), at(2), at(200), at(2)].map((event) => memory.of(event).since / SECOND);
  assert.deepEqual(since, [1, 1, 1, 1]);
});

const anew = [
  { name: "another port", socket: { localPort: 7777 } },
  { name: "another address of its own", socket: { localAddress: "192.0.2.98" } },
  { name: "another network namespace", socket: { netns: 99 } },
  { name: "another peer", socket: { peerAddress: "192.0.2.99" } },
  { name: "another peer's port", socket: { peerPort: 7777 } },
  { name: "a handshake after the connection was open", socket: { state: TCP_SYN_SENT } },
] as const;
for (const { name, socket } of anew) {
  test(`ConnectionMemory.of() begins anew with ${name} of the same socket`, () => {
    const memory = new ConnectionMemory();
    const open = at(1).socket.state;
    memory.of(at(1));
    assert.equal(memory.of(at(2, socket)).since, 2 * SECOND);
    assert.equal(memory.of(at(3, { ...socket, state: open })).since, 2 * SECOND);
  });
}

test("ConnectionMemory.of() keeps a handshake and the connection that comes of it as one, since its last SYN", () => {
  const memory = new ConnectionMemory();
  memory.of(at(1, { state: TCP_SYN_SENT }));
  assert.equal(memory.of(at(2, { state: TCP_SYN_SENT })).since, 2 * SECOND, "nobody has answered yet");
  assert.equal(memory.of(at(3)).since, 2 * SECOND);
});

test("ConnectionMemory.of() takes the peer to have answered when an acknowledgement makes the kernel send again", () => {
  const memory = new ConnectionMemory();
  assert.equal(memory.of({ ...at(1), cause: "timeout" }).heard, undefined);
  assert.equal(memory.of({ ...at(2), cause: "slow_start" }).heard, 2 * SECOND);
  assert.equal(memory.of({ ...at(3), cause: "fast" }).heard, 2 * SECOND, "the first time");
  const syn = { ...at(4, { key: 2 as SocketKey, state: TCP_SYN_SENT }), cause: "fast" } as const;
  assert.equal(memory.of(syn).heard, undefined);
});

test("ConnectionMemory.of() forgets after five minutes of silence", () => {
  const memory = new ConnectionMemory();
  memory.of(at(1));
  assert.equal(memory.of(at(299)).since, SECOND);
  assert.equal(memory.of(at(598)).since, SECOND);
  assert.equal(memory.of(at(899)).since, 899 * SECOND);
});

test("ConnectionMemory.of() keeps those in use and forgets others when it is full", () => {
  const memory = new ConnectionMemory();
  memory.of(at(1));
  for (let i = 2; i < 40_000; i++) {
    memory.of(at(2, { key: i as SocketKey }));
    if (i % 10_000 === 0) memory.of(at(3));
  }
  assert.equal(memory.of(at(4)).since, SECOND);
  assert.equal(memory.of(at(4, { key: 2 as SocketKey })).since, 4 * SECOND);
});
