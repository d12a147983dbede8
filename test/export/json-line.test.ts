import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ATTRIBUTES } from "../../src/export/attributes.ts";
import { eventAttributes } from "../../src/export/event-attributes.ts";
import { jsonLineFormatter } from "../../src/export/json-line.ts";
import { anEvent, EVERY_FIELD } from "./an-event.ts";
import { ends, events, times } from "./arbitrary-events.ts";
import { anEnd, CART_END, NODE_B, PRICES, PRICES_END, someEnds } from "./some-ends.ts";

const NOV_2026 = 1_795_412_152_000_000_042n;

test("jsonLineFormatter() gives what JSON.stringify gives of eventAttributes()", () => {
  const names = (stack: readonly bigint[]) => stack.map((address) => `"odd\\${address}"`);
  const [plain, withStacks] = [jsonLineFormatter(), jsonLineFormatter(names)];
  fc.assert(
    fc.property(events, times, ends, (event, epoch, ends) => {
      const time = epoch + BigInt(event.time);
      const named = { ends, stackNames: names };
      assert.equal(plain(event, epoch), `${JSON.stringify(eventAttributes(event, time))}\n`);
      assert.equal(
        withStacks(event, epoch),
        `${JSON.stringify(eventAttributes(event, time, { stackNames: names }))}\n`,
      );
      assert.equal(
        withStacks(event, epoch, ends),
        `${JSON.stringify(eventAttributes(event, time, named))}\n`,
      );
    }),
    { numRuns: 1000 },
  );
});

test("jsonLineFormatter() writes every attribute of an event that the kprobe rung tells all of", () => {
  const event = anEvent({
    kind: "loss_probe",
    cause: "tail_loss_probe",
    outcome: "nothing",
    error: -16,
    segments: 0,
    rung: "kprobe",
    stack: [1n, 2n],
    socket: EVERY_FIELD,
  });
  const line = jsonLineFormatter(() => ["tcp_retransmit_skb", "tcp_write_timer"])(event, NOV_2026);
  assert.equal(
    line,
    '{"timestamp":"2026-11-23T05:35:52.000000042Z","event.name":"tcp.loss_probe",' +
      '"source.address":"10.150.18.225","source.port":53874,"destination.address":"10.105.152.3",' +
      '"destination.port":6001,"network.type":"ipv4","network.transport":"tcp",' +
      '"network.connection.state":"established","tcp.state":"ESTABLISHED",' +
      '"network.tcp.retransmit.type":"tail_loss_probe","tcp.retransmit.outcome":"nothing","tcp.segments":0,' +
      '"error.type":"EBUSY","tcp.retransmit.count":2,"tcp.backoff":1,"tcp.rto":0.204,"tcp.srtt":0.000045,' +
      '"tcp.cwnd":10,"tcp.mss":1448,"tcp.packets_out":12,"tcp.retrans_out":1,"tcp.lost_out":2,' +
      '"tcp.total_retrans":31,"tcp.bytes_retrans":44888,"tcp.seq":1000,"tcp.end_seq":2448,"tcp.flags":24,' +
      '"tcp.ca_state":"Recovery","linux.network_namespace.inum":4026531840,' +
      '"linux.cgroup.id":"1152921504606846976","process.pid":3375,"probe.rung":"kprobe",' +
      '"linux.kernel.stack":["tcp_retransmit_skb","tcp_write_timer"]}\n',
  );
  const keys = Object.keys(JSON.parse(line));
  assert.deepEqual(
    keys,
    Object.values(ATTRIBUTES).filter((key) => keys.includes(key)),
    "ATTRIBUTES has the keys in the order of a line",
  );
});

test("jsonLineFormatter() writes the names of both ends after the rung and before the stack", () => {
  const peer = { ...PRICES_END, hint: { kind: "pod_deleted", ageSeconds: 14.2 } as const };
  const event = anEvent({ stack: [1n] });
  const plain = jsonLineFormatter()(event, NOV_2026);
  const line = jsonLineFormatter(() => ["tcp_retransmit_skb"])(event, NOV_2026, someEnds(peer));
  assert.equal(
    line,
    `${plain.trimEnd().slice(0, -1)},` +
      '"source.kind":"pod","source.name":"shop/cart-7d4f9c-x2x","source.attribution":"cgroup",' +
      '"source.k8s.namespace.name":"shop","source.k8s.pod.name":"cart-7d4f9c-x2x","source.k8s.pod.uid":"u-1",' +
      '"source.k8s.container.name":"app","source.k8s.workload.kind":"Deployment",' +
      '"source.k8s.workload.name":"cart","source.k8s.node.name":"node-a",' +
      '"source.cloud.availability_zone":"eu-1a",' +
      '"destination.kind":"pod","destination.name":"shop/nightly-29000-abcde",' +
      '"destination.attribution":"conntrack","destination.hint":"pod_deleted","destination.hint.age":14.2,' +
      '"destination.k8s.service.name":"prices","destination.k8s.namespace.name":"shop",' +
      '"destination.k8s.pod.name":"nightly-29000-abcde","destination.k8s.pod.uid":"u-2",' +
      '"destination.k8s.workload.kind":"CronJob","destination.k8s.workload.name":"nightly",' +
      '"destination.k8s.workload.inferred":true,"destination.k8s.node.name":"node-b",' +
      '"linux.kernel.stack":["tcp_retransmit_skb"]}\n',
  );
  const keys = Object.keys(JSON.parse(line));
  assert.deepEqual(
    keys,
    Object.values(ATTRIBUTES).filter((key) => keys.includes(key)),
    "ATTRIBUTES has the keys in the order of a line",
  );
});

test("jsonLineFormatter() writes no key for what an end has not", () => {
  const peer = anEnd({ kind: "external", name: "external" });
  const local = anEnd({ kind: "process", name: "sshd.service", method: "cgroup", node: NODE_B });
  const line = jsonLineFormatter()(anEvent(), NOV_2026, { ownership: "undetermined", local, peer });
  assert.ok(
    line.endsWith(
      '"probe.rung":"tracepoint","tcpretrans.ownership":"undetermined",' +
        '"source.kind":"process","source.name":"sshd.service","source.attribution":"cgroup",' +
        '"source.k8s.node.name":"node-b",' +
        '"destination.kind":"external","destination.name":"external","destination.attribution":"none"}\n',
    ),
    line,
  );
});

test("jsonLineFormatter() lists every service that may have been meant", () => {
  const peer = anEnd({ ...CART_END, candidates: [PRICES, { ...PRICES, name: "prices-canary" }] });
  const written = JSON.parse(jsonLineFormatter()(anEvent(), 0n, someEnds(peer)));
  assert.deepEqual(written["destination.k8s.service.candidates"], ["prices", "prices-canary"]);
  assert.equal(written["destination.k8s.service.name"], undefined);
});

test("jsonLineFormatter() writes new names for a connection as soon as they change", () => {
  const format = jsonLineFormatter();
  const peer = (name: string) =>
    JSON.parse(format(anEvent(), 0n, someEnds(anEnd({ name }))))["destination.name"];
  assert.deepEqual([peer("a"), peer("b"), peer("a")], ["a", "b", "a"]);
});

test("jsonLineFormatter() leaves out what the rung does not tell", () => {
  const line = jsonLineFormatter()(anEvent({ socket: { state: 12, ipVersion: 6, localAddress: "::1" } }), 0n);
  assert.equal(
    line,
    '{"timestamp":"1970-01-01T00:00:00.000000000Z","event.name":"tcp.retransmit","source.address":"::1",' +
      '"source.port":53874,"destination.address":"10.105.152.3","destination.port":6001,' +
      '"network.type":"ipv6","network.transport":"tcp","network.connection.state":"syn_received",' +
      '"tcp.state":"NEW_SYN_RECV","network.tcp.retransmit.type":"fast","tcp.retransmit.outcome":"sent",' +
      '"process.pid":3375,"probe.rung":"tracepoint"}\n',
  );
});

test("jsonLineFormatter() writes integers above 2^53 as strings", () => {
  const format = jsonLineFormatter();
  const written = (bytesRetrans: bigint) =>
    JSON.parse(format(anEvent({ socket: { bytesRetrans } }), 0n))["tcp.bytes_retrans"];
  assert.equal(written(2n ** 53n - 1n), 9007199254740991);
  assert.equal(written(2n ** 53n + 1n), "9007199254740993");
});

test("jsonLineFormatter() turns the second at the right nanosecond, forwards and backwards", () => {
  const format = jsonLineFormatter();
  const fraction = (time: bigint) => JSON.parse(format(anEvent(), time)).timestamp.slice(17);
  assert.equal(fraction(NOV_2026), "52.000000042Z");
  assert.equal(fraction(NOV_2026 + 999_999_957n), "52.999999999Z");
  assert.equal(fraction(NOV_2026 + 999_999_958n), "53.000000000Z");
  assert.equal(fraction(NOV_2026), "52.000000042Z");
});
