import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { readLayout } from "../../src/cli/session.ts";
import type { SocketKey } from "../../src/event/tcp-event.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { type DecodeFacts, recordDecoder } from "../../src/probe/decode-record.ts";
import { probesOf } from "../../src/probe/definitions.ts";
import { findField } from "../../src/probe/field-reader.ts";
import { type InstalledProbe, installProbe, uninstallProbes } from "../../src/probe/install-probes.ts";
import type { SocketLayout } from "../../src/probe/socket-layout.ts";
import { parseHeaderPage } from "../../src/ring-buffer/page-layout.ts";
import { readPage } from "../../src/ring-buffer/read-page.ts";
import { openLibc } from "../../src/syscall/libc.ts";
import { Instance } from "../../src/tracefs/instance.ts";
import { openTracefs } from "../../src/tracefs/mount.ts";
import type { EndsGround } from "./ends-ground.ts";

const GOOD = "00000001";
const BAD = "00000002";
/** Records that pass a filter are first written to one page per CPU, where the record before it lies still (trace_buffered_event). */
const FILTER = "lp > 0";
const FACTS: DecodeFacts = {
  hz: undefined,
  caState: { shift: 0, width: 5 },
  keyOf: (pointer) => pointer as SocketKey,
};

/** What one record says of its namespace and cgroup: the bytes, and what decoding makes of them. */
interface Fetched {
  readonly raw: { readonly net: bigint; readonly ns: number; readonly cg: bigint };
  readonly netns: number | undefined;
  readonly cgroupId: bigint | undefined;
}

/**
 * Lets this kernel fail to dereference: the attempt probe of the product once as it is, and once with its pointers taken
 * from the IPv6 address of an IPv4 socket, which is 0.
 */
export async function testStaleBytes(ground: EndsGround): Promise<void> {
  const libc = openLibc();
  using tracefs = openTracefs({ libc });
  const layout = readLayout("/sys");
  assert.ok(layout?.net !== undefined && layout.peerV6 !== undefined, "no BTF");
  const broken = { ...layout, net: layout.peerV6, ...(layout.cgroup && { cgroup: layout.peerV6 }) };
  using instance = Instance.create(tracefs, { bufferSizeKb: 256, id: GOOD, libc });
  const probes = [attempt(layout, GOOD), attempt(broken, BAD)].map((definition) =>
    installProbe(definition, { tracefs, instance, stacks: false }),
  );
  using _probes = { [Symbol.dispose]: () => uninstallProbes(probes, { tracefs, instance }) };
  await ground.retransmit(4);
  await sleep(100);
  const [good = [], bad = []] = readRecords(instance, probes);
  const { inum } = ground.pair.client;
  assert.ok(good.length > 0, "no records");
  for (const { netns, cgroupId } of good) {
    assert.equal(netns, inum);
    assert.ok(cgroupId !== undefined);
  }
  assert.equal(bad.length, good.length);
  for (const { raw, netns, cgroupId } of bad) {
    assert.equal(raw.net, 0n);
    assert.deepEqual([netns, cgroupId], [undefined, undefined]);
  }
  const stale = bad.filter(({ raw }) => raw.ns === inum);
  assert.ok(stale.length > 0, `no stale bytes in ${bad.length} records: the check shows nothing`);
}

function attempt(layout: SocketLayout, id: string) {
  const naming = { id, tellsError: false, tellsCongState: false, eprobes: false };
  const found = probesOf("kprobe", layout, naming).find(({ role }) => role === "attempt");
  if (found === undefined) throw new TypeError("Cannot find the attempt's probe");
  return { ...found, filter: FILTER };
}

/** The records of each probe, in time order on each CPU. */
function readRecords(instance: Instance, probes: readonly InstalledProbe[]): readonly Fetched[][] {
  const layout = parseHeaderPage(instance.readHeaderPage());
  const records: Fetched[][] = probes.map(() => []);
  const readers = probes.map(({ role, format }) => ({ format, decode: recordDecoder(role, format, FACTS) }));
  for (const cpu of instance.onlineCpus()) {
    using pipe = instance.openCpu(cpu);
    const page = new Uint8Array(layout.pageSize);
    const view = new DataView(page.buffer);
    for (let bytes = pipe.read(page); bytes > 0; bytes = pipe.read(page)) {
      readPage(view, bytes, layout, { hi: 0, lo: 0 }, (offset, length) => {
        const i = readers.findIndex(({ format }) => format.id === view.getUint16(offset, true));
        const reader = readers[i];
        if (reader === undefined) return;
        const at = (name: string) => offset + (findField(reader.format, [name])?.offset ?? Number.NaN);
        const record = reader.decode(view, offset, length, traceNanos(0), cpu);
        if (typeof record === "string") throw new Error(`Cannot decode a record: ${record}`);
        const raw = {
          net: view.getBigUint64(at("net"), true),
          ns: view.getUint32(at("ns"), true),
          cg: view.getBigUint64(at("cg"), true),
        };
        const { netns, cgroupId } = record.socket ?? {};
        records[i]?.push({ raw, netns, cgroupId });
      });
    }
  }
  return records;
}
