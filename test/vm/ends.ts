import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "../lab/run.ts";
import { Program } from "../support/program.ts";
import { agentKilled, agentReplaced } from "./ends-agent.ts";
import { clockSet } from "./ends-clock.ts";
import { EndsGround } from "./ends-ground.ts";
import { testLockdown, testWithoutBtf } from "./ends-refusals.ts";
import { testStaleBytes } from "./ends-stale.ts";
import { switchOff } from "./ends-switch-off.ts";
import type { Check } from "./guest-report.ts";
import { rungsOf } from "./sight.ts";

const KPROBE = ["--probe=kprobe", "--json", "-l"];
const CPU1 = "/sys/devices/system/cpu/cpu1/online";
const FTRACE = "/proc/sys/kernel/ftrace_enabled";
/** The program looks at its probes and at the CPUs once a second. */
const LOOK_MS = 1_300;

type Step = (ground: EndsGround) => Promise<void>;

/** In this order: the last looks at what all of them have left of other tools' tracing. */
const STEPS: readonly (readonly [name: string, step: Step])[] = [
  ["signals-and-closed-output", endsClean],
  ["killed-and-started-again", killed],
  ["two-at-once", two],
  ["agent-replaced", agentReplaced],
  ["agent-killed", agentKilled],
  ["clock-set", clockSet],
  ["switched-off", switchOff],
  ["cpu-offline", offline],
  ["ftrace-disabled", ftraceDisabled],
  ["stale-bytes", testStaleBytes],
  ["without-btf", testWithoutBtf],
  ["other-tools-untouched", othersUntouched],
];

/** Begins, ends and disturbs the real program on this kernel's kprobes. */
export async function testEnds(tracing: string, say: (text: string) => void): Promise<readonly Check[]> {
  const ground = await EndsGround.open(tracing);
  const checks: Check[] = [];
  const check = async (scenario: string, step: () => Promise<void>) => {
    let problem: string | undefined;
    try {
      await step();
    } catch (error) {
      problem = String(error instanceof Error ? error.message : error)
        .replace(/\s+/g, " ")
        .slice(0, 2000);
    }
    say(`${scenario} has run`);
    checks.push({ rung: "ends", family: 0, scenario, problem });
  };
  for (const [scenario, step] of STEPS) {
    await check(scenario, async () => {
      await step(ground);
      ground.assertNothingLeft();
    });
  }
  await check("lockdown", testLockdown); // takes tracefs away for good
  return checks;
}

async function endsClean(ground: EndsGround): Promise<void> {
  await using interrupted = await ground.trace(KPROBE);
  await using terminated = await ground.trace(KPROBE);
  await using closed = await ground.trace(KPROBE);
  await ground.retransmit();
  await Promise.all([interrupted, terminated, closed].map((watched) => watched.showsAll()));
  await Promise.all([interrupted.end("SIGINT"), terminated.end("SIGTERM")]);
  closed.program.child.stdout?.destroy();
  await ground.retransmit();
  assert.deepEqual(await closed.program.ended, { code: 0, signal: null });
  closed.assertGone();
}

async function killed(ground: EndsGround): Promise<void> {
  await using dead = await ground.trace(KPROBE);
  await ground.retransmit();
  await dead.showsAll();
  await dead.program.stop("SIGKILL");
  const left = ground.ours();
  assert.ok(left.length > 5, `left to be removed: ${left.join(" ")}`);
  await ground.retransmit();
  assert.equal(readFileSync(join(dead.instance, "tracing_on"), "utf8"), "0\n");
  for (const cpu of readdirSync(join(dead.instance, "per_cpu"))) {
    assert.match(readFileSync(join(dead.instance, "per_cpu", cpu, "stats"), "utf8"), /^entries: 0$/m, cpu);
  }
  await using next = await ground.trace(KPROBE);
  dead.assertGone();
  await ground.retransmit();
  await next.showsAll();
  await next.end();
}

async function two(ground: EndsGround): Promise<void> {
  await using one = await ground.trace([...KPROBE, "--verify"]);
  await using other = await ground.trace(KPROBE);
  await ground.retransmit();
  await Promise.all([one.showsAll(), other.showsAll()]);
  await other.end();
  await ground.retransmit();
  await one.showsAll();
  await one.end();
  assert.match(one.program.stderr, /All that can be checked reconciles/);
  assert.doesNotMatch(one.program.stderr, /switched/);
}

async function offline(ground: EndsGround): Promise<void> {
  await using watched = await ground.trace([...KPROBE, "--verify"]);
  await ground.pin("1");
  const stop = ground.flowing();
  await sleep(500);
  await run("sh", ["-c", `echo 0 > ${CPU1}`]); // its last records are still in its buffer
  await sleep(LOOK_MS);
  await run("sh", ["-c", `echo 1 > ${CPU1}`]);
  await sleep(LOOK_MS);
  await stop();
  const before = watched.witnessed().length;
  for (const cpus of ["1", "0", "0,1"]) {
    await ground.pin(cpus);
    await ground.retransmit();
  }
  await watched.showsAll();
  assert.deepEqual([...new Set(watched.witnessed().slice(before))].toSorted(), [0, 1]);
  await watched.end();
  assert.match(watched.program.stderr, /All that can be checked reconciles/);
}

async function ftraceDisabled(ground: EndsGround): Promise<void> {
  writeFileSync(FTRACE, "0");
  try {
    await using watched = await ground.trace(["--json", "-l"]);
    await ground.retransmit();
    await watched.showsAll();
    await watched.end();
    const { stderr } = watched.program;
    assert.match(stderr, /^Rung kprobe is not available: .*ftrace_enabled is 0.*$/m);
    const [, rung] = rungsOf(release());
    assert.match(stderr, new RegExp(`^Tracing TCP retransmits \\(${rung}\\)`, "m"));
    await using doctor = new Program(["doctor"]);
    assert.equal((await doctor.ended).code, 0);
    assert.match(doctor.stdout, /ftrace_enabled/);
  } finally {
    writeFileSync(FTRACE, "1");
  }
}

async function othersUntouched({ foreign }: EndsGround): Promise<void> {
  assert.deepEqual(foreign.changes(), []);
  const [inInstance, inGlobal] = foreign.hits();
  assert.ok(inInstance > 0);
  assert.equal(inInstance, inGlobal);
}
