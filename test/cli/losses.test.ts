import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { missReader } from "../../src/cli/losses.ts";

test("missReader() never goes back, though a probe that was removed begins at 0 again", (t) => {
  const path = mkdtempSync(join(tmpdir(), "tcpretrans-"));
  t.after(() => rmSync(path, { recursive: true }));
  const profile = (text: string) => writeFileSync(join(path, "kprobe_profile"), text);
  const misses = missReader({ path, lockdown: undefined }, "1a2b");
  assert.equal(misses(), 0);
  profile("  attempt_1a2b   900   5\n  loss_probe_1a2b   10   2\n  attempt_ffff   900   70\n");
  assert.equal(misses(), 7);
  profile("  attempt_1a2b   900   6\n");
  assert.equal(misses(), 8);
  profile("  attempt_1a2b   3   1\n  loss_probe_1a2b   10   3\n");
  assert.equal(misses(), 10);
});
