import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeNameWarning } from "../../src/cli/welcome.ts";

test("nodeNameWarning() speaks where metrics call a node by another name than the API does", () => {
  const of = (given: string | undefined, found: string | undefined) =>
    nodeNameWarning({ given, found, hostname: "host-7" });
  assert.equal(
    of(undefined, "node-a"),
    "Metrics call this node host-7, since its name in Kubernetes was not given: give --node-name node-a",
  );
  for (const [given, found] of [
    ["node-a", "node-a"],
    [undefined, "host-7"],
    [undefined, undefined],
  ] as const)
    assert.equal(of(given, found), undefined);
});
