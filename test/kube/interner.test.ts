import assert from "node:assert/strict";
import { test } from "node:test";
import { copyText, Interner } from "../../src/kube/interner.ts";

test("Interner.get() gives one value for equal keys", () => {
  const interner = new Interner<object>();
  const value = interner.get("a", () => ({}));
  assert.equal(
    interner.get("a", () => ({})),
    value,
  );
  assert.notEqual(
    interner.get("b", () => ({})),
    value,
  );
});

test("Interner.get() keeps what is asked for again and forgets what is not", () => {
  const interner = new Interner<object>(2);
  const [a, b] = [interner.get("a", () => ({})), interner.get("b", () => ({}))];
  interner.get("c", () => ({}));
  assert.equal(
    interner.get("a", () => ({})),
    a,
  );
  interner.get("d", () => ({}));
  interner.get("e", () => ({}));
  assert.equal(
    interner.get("a", () => ({})),
    a,
  );
  assert.notEqual(
    interner.get("b", () => ({})),
    b,
  );
});

test("copyText() gives the same text, of any characters", () => {
  for (const text of ["", "node-1", "schön", "語"]) assert.equal(copyText(text), text);
});
