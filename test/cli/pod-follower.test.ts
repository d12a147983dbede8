import assert from "node:assert/strict";
import { test } from "node:test";
import { ownPod } from "../../src/cli/pod-follower.ts";
import { anIndex, aPod, list } from "../kube/slim-objects.ts";

test("ownPod() is a pod of this node, and no pod that may be another's", () => {
  const index = anIndex();
  list(
    index.pods,
    [aPod(), aPod({ uid: "uid-b", name: "b", nodeName: undefined, addresses: [] })],
    1_500_000,
  );
  const of = (uid: string, nodeName: string | undefined) => ownPod(uid, { nodeName, watch: { index } })?.name;
  assert.equal(of("uid-a", "node-b"), "a");
  assert.equal(of("uid-a", "node-a"), undefined);
  assert.equal(of("uid-a", undefined), undefined);
  assert.equal(of("uid-b", "node-b"), undefined);
  assert.equal(of("uid-b", undefined), undefined);
  assert.equal(of("uid-c", "node-b"), undefined);
});
