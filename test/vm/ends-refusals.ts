import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { run } from "../lab/run.ts";
import { Program } from "../support/program.ts";

const LOCKDOWN = "/sys/kernel/security/lockdown";
/** Runs a program with nothing in /sys/kernel/btf. */
const WITHOUT_BTF = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /sys/kernel/btf && exec "$0" "$@"'];

/** A kernel without BTF: the rungs that need it step down with a sentence, and refuse when they are asked for. */
export async function testWithoutBtf(): Promise<void> {
  const best = await ended(["--json", "--duration", "1"], WITHOUT_BTF);
  assert.equal(best.code, 0, best.stderr);
  assert.match(best.stderr, /^Rung kprobe is not available: .*BTF/m);
  assert.match(best.stderr, /^Tracing TCP retransmits \(tracepoint\)/m);
  const asked = await ended(["--probe=kprobe", "--duration", "1"], WITHOUT_BTF);
  assert.equal(asked.code, 4, asked.stderr);
  assertSentences(asked.stderr, /BTF/);
}

/** Lockdown `confidentiality`: only counters are left. There is no way back, so nothing that traces can follow. */
export async function testLockdown(): Promise<void> {
  if (!existsSync(LOCKDOWN)) await run("mount", ["-t", "securityfs", "securityfs", "/sys/kernel/security"]);
  writeFileSync(LOCKDOWN, "confidentiality");
  const traced = await ended(["--duration", "1"]);
  assert.equal(traced.code, 4, traced.stderr);
  assertSentences(traced.stderr, /lockdown/i);
  const doctor = await ended(["doctor"]);
  assert.equal(doctor.code, 4, doctor.stdout);
  assert.match(doctor.stdout, /confidentiality/);
  const counted = await ended(["--probe=counters", "--duration", "1"]);
  assert.equal(counted.code, 0, counted.stderr);
}

async function ended(args: readonly string[], through: readonly string[] = []) {
  await using program = new Program(args, { through });
  const { code } = await program.ended;
  return { code, stdout: program.stdout, stderr: program.stderr };
}

function assertSentences(stderr: string, words: RegExp): void {
  assert.match(stderr, words);
  assert.doesNotMatch(stderr, /^\s+at /m, "a stack trace");
}
