import assert from "node:assert/strict";
import { test } from "node:test";
import type { EndName, HintKind } from "../../src/event/end-name.ts";
import { formatEndName, formatEnds } from "../../src/export/format-end-name.ts";
import { anEnd, CART_END, NODE_B, PRICES, PRICES_END, someEnds } from "./some-ends.ts";

const SERVICE_END = anEnd({ kind: "service", name: "shop/prices", method: "address", service: PRICES });

const ends: readonly (readonly [string, EndName])[] = [
  ["shop/cart-7d4f9c-x2x", CART_END],
  ["svc shop/prices (shop/nightly-29000-abcde)", PRICES_END],
  ["svc shop/prices", SERVICE_END],
  ["svc shop/prices (node node-b)", { ...SERVICE_END, node: NODE_B }],
  [
    "shop/cart-7d4f9c-x2x (svc prices or prices-canary)",
    { ...CART_END, candidates: [PRICES, { ...PRICES, name: "prices-canary" }] },
  ],
  ["node node-b", anEnd({ kind: "node", name: "node-b", node: NODE_B })],
  ["sshd.service", anEnd({ kind: "process", name: "sshd.service", method: "cgroup" })],
  ["billing", anEnd({ kind: "cidr", name: "billing", method: "cidr" })],
  ["external", anEnd({ kind: "external", name: "external" })],
  ["unknown", anEnd()],
  ["evil?[31m?name?", anEnd({ kind: "process", name: "evil\u001b[31m\nname\u202e" })],
];
for (const [text, end] of ends) {
  test(`formatEndName() gives ${text}`, () => assert.equal(formatEndName(end), text));
}

const hints: readonly (readonly [HintKind, number | undefined, string])[] = [
  ["pod_deleted", 14.2, "pod deleted 14 s ago"],
  ["pod_deleted", 119.9, "pod deleted 119 s ago"],
  ["pod_terminating", 120, "pod terminating for 2 min"],
  ["pod_not_ready", undefined, "pod not ready"],
  ["no_endpoints", 7200, "no endpoints for 2 h"],
  ["node_not_ready", 0.4, "node not ready for 0 s"],
  ["node_cordoned", undefined, "node cordoned"],
];
for (const [kind, ageSeconds, text] of hints) {
  test(`formatEnds() appends [${text}] to the destination`, () => {
    const { source, destination } = formatEnds(someEnds({ ...PRICES_END, hint: { kind, ageSeconds } }));
    assert.equal(destination, `svc shop/prices (shop/nightly-29000-abcde) [${text}]`);
    assert.equal(source, "shop/cart-7d4f9c-x2x");
  });
}

test("formatEnds() marks the source of what may be another node's event", () => {
  assert.equal(formatEnds(someEnds(anEnd(), { ownership: "undetermined" })).source, "shop/cart-7d4f9c-x2x?");
  assert.equal(
    formatEnds(someEnds(anEnd(), { ownership: "undetermined", local: anEnd() })).source,
    "unknown?",
  );
});
