import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { openLibc } from "../../src/syscall/libc.ts";
import { listDynamicEvents } from "../../src/tracefs/dynamic-events.ts";
import { openTracefs } from "../../src/tracefs/mount.ts";

const SRC = join(import.meta.dirname, "../../src");
const NOBODY = 65_534;

const tracefs = openTracefs({ libc: openLibc() });
after(() => tracefs[Symbol.dispose]());

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const all = ["--disable-warning=ExperimentalWarning", ...args];
  return spawnSync(process.execPath, all, { encoding: "utf8", env: { ...process.env, ...env } });
}

function doctor(args: readonly string[], env?: NodeJS.ProcessEnv) {
  return run([join(SRC, "main.ts"), "doctor", ...args], env);
}

/** Our instances and probes, of this and any other tcpretrans that runs. */
function present(): readonly string[] {
  const instances = readdirSync(join(tracefs.path, "instances"));
  const events = listDynamicEvents(tracefs).map(({ definition }) => definition);
  return [...instances, ...events].filter((name) => name.includes("tcpretrans"));
}

for (const { way, env } of [
  { way: "with node:ffi where there is one", env: {} },
  { way: "without node:ffi", env: { TCPRETRANS_NO_FFI: "1" } },
]) {
  test(`runDoctor() ${way} tries every rung on this kernel and exits 0 if one works`, () => {
    const { status, stdout, stderr } = doctor(["--json"], env);
    assert.equal(stderr, "");
    const report = JSON.parse(stdout);
    assert.deepEqual(
      report.rungs.map(({ rung }: { rung: string }) => rung),
      ["kprobe", "eprobe", "tracepoint"],
    );
    for (const { rung, kind, reason } of report.rungs) {
      assert.match(`${rung} ${kind} ${reason}`, /^\w+ (ok undefined|refused Cannot .+)$/);
    }
    const [best] = report.rungs.filter(({ kind }: { kind: string }) => kind === "ok");
    assert.deepEqual([report.possible, report.rung], [best !== undefined, best?.rung ?? null]);
    assert.equal(status, best === undefined ? 4 : 0);
    assert.equal(report.tracefs.path, tracefs.path);
    assert.ok([100, 250, 300, 1000].includes(report.kernel.hz));
    assert.ok(report.namespaces.found >= 1);
    assert.equal(report.namespaces.readable, report.namespaces.found, report.namespaces.reason);
  });
}

test("runDoctor() leaves no probe and no instance behind", async () => {
  const before = present();
  assert.equal(doctor([]).status, 0);
  let left = present().filter((name) => !before.includes(name));
  // Another tcpretrans may have started meanwhile: only what stays is ours.
  for (let tries = 0; left.length > 0 && tries < 40; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    const now = present();
    left = left.filter((name) => now.includes(name));
  }
  assert.deepEqual(left, []);
});

test("runDoctor() fits one screen", () => {
  const lines = doctor([]).stdout.split("\n");
  assert.ok(lines.length <= 40, `${lines.length - 1} lines`);
  assert.ok(lines.every((line) => line.length <= 100));
});

test("runDoctor() without root says what it can, and gives 4", { skip: process.getuid?.() !== 0 }, () => {
  // Changes its user when all is loaded: another user may not reach this Node or this directory.
  const { status, stdout, stderr } = run([
    ...["--input-type=module", "-e"],
    `import { runDoctor } from ${JSON.stringify(join(SRC, "cli/doctor.ts"))};
     process.setgroups([]);
     process.setgid(${NOBODY});
     process.setuid(${NOBODY});
     process.exitCode = await runDoctor({ json: false, write: (text) => process.stdout.write(text), noFfi: false });`,
  ]);
  assert.deepEqual([status, stderr], [4, ""]);
  assert.match(stdout, /^NOT TRIED: capture needs root\. Run sudo tcpretrans doctor /);
  assert.match(stdout, /^kernel +\d+\.\d+/m);
  assert.match(stdout, /^user +uid 65534, not root$/m);
  assert.match(stdout, /^ {2}- {4}kprobe +needs root$/m);
});
