import assert from "node:assert/strict";
import { test } from "node:test";
import { isKnown, NAMES_OF_OTHERS } from "./known-names.ts";
import { readDocuments } from "./markdown.ts";

const DOCUMENTS = readDocuments();

for (const { file, codes } of DOCUMENTS) {
  test(`${file} names flags, variables, settings, metrics, attributes and files that there are`, () => {
    const unknown = codes.filter(({ text }) => !isKnown(text)).map(({ line, text }) => `${line}: ${text}`);
    assert.deepEqual(unknown, []);
  });
}

test("NAMES_OF_OTHERS has only what documents name", () => {
  const named = new Set(DOCUMENTS.flatMap(({ codes }) => codes.map(({ text }) => text)));
  assert.deepEqual(
    [...NAMES_OF_OTHERS.keys()].filter((name) => !named.has(name)),
    [],
  );
});

const WRONG = [
  "npm run tests",
  "--otlp-endpoints",
  "TCPRETRANS_OTLP_ENDPOINTS",
  "OTEL_LOGS",
  "src/no-such-file.ts",
  "tcp_retransmit_total",
  "tcp.retransmit.segment",
  "source.k8s.pod",
  "metrics.interval",
  "logs.batch.size",
];
for (const text of WRONG) test(`isKnown() does not know ${text}`, () => assert.equal(isKnown(text), false));
