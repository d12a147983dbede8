import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { LiveCapture } from "../../src/agent/live-capture.ts";
import { LiveSource } from "../../src/agent/live-source.ts";
import { openLibc } from "../../src/syscall/libc.ts";
import { openTracefs } from "../../src/tracefs/mount.ts";

const libc = openLibc();

async function connectOnce(): Promise<void> {
  const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  await once(connect(address.port, "127.0.0.1"), "close");
  server.close();
}

test("LiveSource.wait() ends with the first record after a quiet time", {
  skip: libc === undefined && "this Node has no node:ffi",
  timeout: 60_000,
}, async () => {
  using tracefs = openTracefs({ libc });
  const unknown = { layout: undefined, hz: undefined, kprobesDead: undefined };
  using capture = LiveCapture.open({
    ...{ tracefs, libc, ...unknown },
    ...{ rung: "tracepoint", stacks: false, bufferSizeKb: 64 },
  });
  const now = process.hrtime.bigint;
  const quietTickMs = 3_600_000;
  using source = new LiveSource({ capture, libc, now, everySecond() {}, quietTickMs });
  let pages = 0;
  const visit = () => {
    pages++;
    return source.now();
  };
  let rest: Promise<void>;
  let began: number;
  for (;;) {
    began = performance.now();
    rest = source.wait(source.drain(visit));
    if (source.restedMs > 0) break;
    await rest;
  }
  assert.ok(source.restedMs > quietTickMs - 60_000);
  pages = 0;
  capture.instance.enable("sock", "inet_sock_set_state");
  await connectOnce();
  await rest;
  assert.ok(source.restedMs <= performance.now() - began, "it tells what was rested in fact");
  source.drain(visit);
  assert.ok(pages > 0);
  capture.instance.disable("sock", "inet_sock_set_state");
  const next = source.wait(source.drain(visit));
  assert.equal(source.restedMs, 0, "more may come");
  await next;
});
