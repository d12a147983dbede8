/**
 * Decodes and pairs a recording's pages in memory, without reading, writing or formatting: prints one JSON object.
 * `decode-only FILE`, in a process of its own with the product's flags.
 */
import { openSync } from "node:fs";
import { recordedLayout } from "../../src/agent/recorded-source.ts";
import { CHUNK } from "../../src/agent/recording-format.ts";
import { parseJson, RecordingReader } from "../../src/agent/recording-reader.ts";
import { stackNames } from "../../src/cli/stack-names.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { PageDecoder } from "../../src/probe/page-decoder.ts";
import { Pairer } from "../../src/probe/pairer.ts";

type Step =
  | { readonly kind: "page"; readonly cpu: number; readonly view: DataView }
  | { readonly kind: "tick"; readonly watermark: number };

const reader = new RecordingReader(openSync(process.argv[2] ?? "", "r"));
const header = reader.header();
const layout = recordedLayout(header);
const names = new Map<bigint, string>();
const steps: Step[] = [];
for (let chunk = reader.next(); chunk !== undefined; chunk = reader.next()) {
  const { kind, payload } = chunk;
  const { buffer, byteOffset, byteLength } = payload;
  if (kind === CHUNK.page) {
    const bytes = new Uint8Array(buffer as ArrayBuffer, byteOffset + 2, byteLength - 2).slice();
    steps.push({ kind: "page", cpu: payload.getUint16(0, true), view: new DataView(bytes.buffer) });
  } else if (kind === CHUNK.tick) steps.push({ kind: "tick", watermark: payload.getFloat64(0, true) });
  else if (kind === CHUNK.symbols) {
    for (const [address, name] of parseJson(payload) as [string, string][]) names.set(BigInt(address), name);
  }
}
const passes = [decodeAll(), decodeAll(), decodeAll(), decodeAll(), decodeAll()].slice(1); // the first compiles
passes.sort((a, b) => a.cpuUs - b.cpuUs);
console.log(JSON.stringify(passes[passes.length >> 1]));

function decodeAll() {
  let events = 0;
  const decoder = new PageDecoder(layout, layout.epoch);
  const functionsOf = stackNames((address) => names.get(address));
  const emit = () => {
    events++;
  };
  const pairer = new Pairer({ rung: header.rung, functionsOf, emit });
  const before = process.cpuUsage();
  for (const step of steps) {
    if (step.kind === "page") decoder.page(step.cpu, step.view, step.view.byteLength);
    else {
      const watermark = traceNanos(step.watermark);
      for (const record of decoder.take(watermark)) pairer.push(record);
      pairer.settle(watermark);
    }
  }
  pairer.settle(traceNanos(Number.MAX_SAFE_INTEGER));
  const { user, system } = process.cpuUsage(before);
  return { events, records: decoder.counts.records, cpuUs: user + system };
}
