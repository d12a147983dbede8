import assert from "node:assert/strict";
import { test } from "node:test";
import { wantsOpenMetrics } from "../../src/agent/wants-open-metrics.ts";

const cases: readonly { name: string; accept: string | undefined; open: boolean }[] = [
  { name: "no header", accept: undefined, open: false },
  { name: "an empty header", accept: "", open: false },
  { name: "what curl sends", accept: "*/*", open: false },
  {
    name: "what Prometheus 3 sends",
    accept:
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    open: true,
  },
  { name: "OpenMetrics of any version", accept: "application/openmetrics-text", open: true },
  { name: "a quoted version", accept: 'application/openmetrics-text; version="1.0.0"', open: true },
  { name: "other letters and spaces", accept: " Application/OpenMetrics-Text ; Q=0.2 ", open: true },
  { name: "an older version", accept: "application/openmetrics-text; version=0.0.1", open: false },
  { name: "OpenMetrics refused", accept: "application/openmetrics-text;q=0", open: false },
  {
    name: "text rather than OpenMetrics",
    accept: "text/plain;version=0.0.4;q=0.9, application/openmetrics-text;version=1.0.0;q=0.8",
    open: false,
  },
  { name: "a quality that is no number", accept: "application/openmetrics-text;q=seven", open: false },
  { name: "a quality above 1", accept: "application/openmetrics-text;q=2", open: false },
];
for (const { name, accept, open } of cases) {
  test(`wantsOpenMetrics() says ${open} for ${name}`, () => {
    assert.equal(wantsOpenMetrics(accept), open);
  });
}
