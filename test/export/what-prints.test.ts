import assert from "node:assert/strict";
import { test } from "node:test";
import { formatHidden, hiddenReason } from "../../src/export/what-prints.ts";
import { anEvent } from "./an-event.ts";

const sent = anEvent();
const failed = anEvent({ outcome: "failed" });
const probes = (["sent", "new_data", "nothing", "unknown"] as const).map((outcome) =>
  anEvent({ kind: "loss_probe", cause: "tail_loss_probe", outcome }),
);

test("hiddenReason() of the default view hides failed attempts and every tail loss probe", () => {
  const rule = { lossProbes: false, failed: false };
  assert.equal(hiddenReason(sent, rule), undefined);
  assert.equal(hiddenReason(failed, rule), "failed");
  for (const probe of probes) assert.equal(hiddenReason(probe, rule), "loss_probe");
});

test("hiddenReason() with -l hides no tail loss probe whatever its outcome, and still failed attempts", () => {
  const rule = { lossProbes: true, failed: false };
  for (const probe of probes) assert.equal(hiddenReason(probe, rule), undefined);
  assert.equal(hiddenReason(failed, rule), "failed");
});

test("hiddenReason() with --wide or --json hides no failed attempt, and still tail loss probes", () => {
  const rule = { lossProbes: false, failed: true };
  assert.equal(hiddenReason(failed, rule), undefined);
  for (const probe of probes) assert.equal(hiddenReason(probe, rule), "loss_probe");
});

test("formatHidden() names what was hidden and how to see it, and is silent when nothing was", () => {
  assert.equal(formatHidden({ loss_probe: 0, failed: 0 }), undefined);
  assert.equal(
    formatHidden({ loss_probe: 12, failed: 1 }),
    "Not shown: 12 tail loss probes (add -l), 1 failed attempt (add --wide)",
  );
});
