import assert from "node:assert/strict";
import { test } from "node:test";
import { PerPod } from "../../../src/export/otlp/per-pod.ts";
import { podRecord } from "./settings.ts";

test("PerPod makes one of a pod, and another when its labels or annotations change", () => {
  let made = 0;
  const perPod = new PerPod(() => ++made);
  const pod = podRecord();
  assert.deepEqual([perPod.get(pod), perPod.get(pod)], [1, 1]);
  const naming = { labels: { name: "cart" }, annotations: {} };
  assert.equal(perPod.get({ ...pod, naming }), 2);
  assert.equal(perPod.get({ ...pod, naming }), 2);
  assert.equal(perPod.size, 1);
});

test("PerPod lets go of pods that are gone when others come", () => {
  const perPod = new PerPod((pod) => pod.uid);
  const gone = { ...podRecord({ uid: "gone" }), endedMs: undefined as number | undefined };
  perPod.get(gone);
  perPod.get(podRecord({ uid: "0" }));
  assert.equal(perPod.size, 2);
  gone.endedMs = 1;
  perPod.get(podRecord({ uid: "1" }));
  assert.equal(perPod.size, 2);
});

test("PerPod keeps 512 at most, and lets go of the one used longest ago", () => {
  let made = 0;
  const perPod = new PerPod(() => ++made);
  for (let pod = 0; pod < 512; pod++) perPod.get(podRecord({ uid: `${pod}` }));
  perPod.get(podRecord({ uid: "0" }));
  perPod.get(podRecord({ uid: "512" }));
  assert.equal(perPod.size, 512);
  assert.equal(perPod.get(podRecord({ uid: "0" })), 1, "it was used meanwhile");
  assert.equal(perPod.get(podRecord({ uid: "1" })), 514, "it was let go");
});
