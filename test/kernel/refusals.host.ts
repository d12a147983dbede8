import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { LossyLink } from "../support/lossy-link.ts";
import { type End, Program, type ProgramOptions, TCPRETRANS } from "../support/program.ts";

const directory = mkdtempSync(join(tmpdir(), "tcpretrans-test-"));
const small = join(directory, "small");
const NOBODY = ["setpriv", "--reuid", "65534", "--clear-groups"];

before(() => {
  execFileSync("chmod", ["755", directory]);
  mkdirSync(small);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tcpretrans-test", small]);
});

after(() => {
  execFileSync("umount", [small]);
  rmSync(directory, { recursive: true });
});

interface Ended extends End {
  readonly stdout: string;
  readonly stderr: string;
}

async function run(args: readonly string[], options?: ProgramOptions): Promise<Ended> {
  await using program = new Program(args, options);
  const end = await program.ended;
  return { ...end, stdout: program.stdout, stderr: program.stderr };
}

/** One sentence that says what, one that says what to do about it where there is something, and the exit code. */
function assertRefused(
  { code, stderr }: Ended,
  expected: { code: number; words: RegExp; lines?: number },
): void {
  assert.match(stderr, expected.words);
  assert.equal(code, expected.code, stderr);
  assert.doesNotMatch(stderr, /\n +at |node:/);
  assert.equal(stderr.split("\n").length - 1, expected.lines ?? 2, stderr);
}

function file(name: string, bytes: Uint8Array | string): string {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

test("tcpretrans without root says so, and leaves no empty recording", async () => {
  const words = /^Cannot trace the kernel: tcpretrans is not run as root\nRun it with sudo/;
  assertRefused(await run([], { through: NOBODY }), { code: 4, words });
  const path = join(directory, "never.rec");
  execFileSync("chmod", ["777", directory]);
  assertRefused(await run(["record", path], { through: NOBODY }), { code: 4, words });
  assert.ok(!existsSync(path));
});

test("tcpretrans without tracefs and without the right to mount it says so", async () => {
  const script = `
    for mount in $(awk '$0 ~ / - tracefs / { print $5 }' /proc/self/mountinfo); do umount -l "$mount"; done
    exec setpriv --bounding-set=-all --inh-caps=-all "$0" "$@"`;
  const through = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script];
  for (const env of [{}, { TCPRETRANS_NO_FFI: "1" }]) {
    const words = /^Cannot mount tracefs: .*\(EPERM\)\n/;
    assertRefused(await run([], { through, env }), { code: 4, words });
  }
});

test("tcpretrans says what is wrong with the command line", async () => {
  assertRefused(await run(["--port", "0"]), {
    code: 2,
    words: /^Cannot use --port 0: .*\nTry tcpretrans -h\n$/,
  });
});

test("tcpretrans whose output is full says so, and leaves nothing", async (t) => {
  const full = openSync("/dev/full", "w");
  t.after(() => closeSync(full));
  await using program = new Program(["--summary", "1"], { stdout: full });
  await program.until(() => program.stderr.includes("Ctrl-C") && instanceOf(program) !== "", "traces");
  const instance = instanceOf(program);
  const { code } = await program.ended;
  assert.equal(code, 6);
  assert.match(program.stderr, /^Cannot write to standard output: it says ENOSPC\nFree some space/m);
  assert.doesNotMatch(program.stderr, /\n +at /);
  assert.ok(!existsSync(instance));
});

function instanceOf(program: Program): string {
  try {
    return program.instance;
  } catch {
    return "";
  }
}

test("tcpretrans record does not write over a file", async () => {
  const path = file("there.rec", "mine");
  await using program = new Program(["record", path]);
  assert.equal((await program.ended).code, 6);
  assert.match(
    program.stderr,
    /^Cannot record to .*there\.rec: open says EEXIST\nName a file that does not exist/m,
  );
  assert.equal(statSync(path).size, 4);
});

test("tcpretrans record on a full disk says so, and what was written replays", async () => {
  await using link = await LossyLink.open({ ports: [7001], atServer: ["tcp dport 7004 drop"] });
  const path = join(small, "full.rec");
  await using program = await Program.tracing(["record", "-s", path]);
  const { instance } = program;
  const asking = link.ask({ host: link.address("ipv4"), port: 7004, connections: 400 });
  assert.deepEqual(await program.ended, { code: 6, signal: null });
  assert.match(program.stderr, /^Cannot write the recording: the file says ENOSPC\nFree some space/m);
  assert.ok(!existsSync(instance));
  await asking;
  const replayed = await run(["replay", path]);
  assert.equal(replayed.code, 0);
  assert.match(replayed.stderr, /^The recording was cut off/m);
  assert.match(replayed.stdout, /^\d\d:\d\d:\d\d \d+ .* R> /m);
});

const bad: readonly { name: string; path: () => string; words: RegExp }[] = [
  { name: "that is a directory", path: () => directory, words: /reading the file says EISDIR/ },
  { name: "that is empty", path: () => file("empty.rec", ""), words: /is not a tcpretrans recording/ },
  {
    name: "of another program",
    path: () => file("elf", "\x7fELF\x02\x01\x01"),
    words: /is not a tcpretrans recording/,
  },
  {
    name: "that ends in its header",
    path: () => file("short.rec", "TCPRETR1\x01\xff\x00\x00\x00{"),
    words: /no header/,
  },
  {
    name: "whose header is damaged",
    path: () => file("damaged.rec", "TCPRETR1\x01\x02\x00\x00\x00{}"),
    words: /format version/,
  },
];
for (const { name, path, words } of bad) {
  test(`tcpretrans replay of a file ${name} says so and gives 5`, async () => {
    const ended = await run(["replay", path()]);
    assert.match(ended.stderr, /^Cannot replay/);
    assertRefused(ended, { code: 5, words, lines: 1 });
  });
}

test("tcpretrans replay of a file that cannot be opened says so and gives 6", async () => {
  const secret = file("secret.rec", "TCPRETR1");
  execFileSync("chmod", ["600", secret]);
  for (const [path, words, through] of [
    [join(directory, "none.rec"), /^Cannot replay .*none\.rec: open says ENOENT\nName a recording/, []],
    [secret, /^Cannot replay .*secret\.rec: open says EACCES\nName a recording/, NOBODY],
  ] as const)
    assertRefused(await run(["replay", path], { through }), { code: 6, words });
});

test("tcpretrans with ftrace_enabled 0 still traces", async (t) => {
  const path = "/proc/sys/kernel/ftrace_enabled";
  if (!existsSync(path)) return t.skip("this kernel has no ftrace_enabled");
  try {
    writeFileSync(path, "0");
  } catch {
    return t.skip("this kernel does not let ftrace_enabled be written");
  }
  t.after(() => writeFileSync(path, "1"));
  assert.equal((await run(["--duration", "0.2"])).code, 0);
  const refused = await run(["--probe", "kprobe"]);
  assert.equal(refused.code, 4);
  assert.match(refused.stderr, /^Cannot .*\n.+\n$/);
});

test("tcpretrans -h documents every exit code that it gives", () => {
  const help = execFileSync(TCPRETRANS, ["-h"], {
    encoding: "utf8",
    env: { ...process.env, TCPRETRANS_NODE: process.execPath },
  });
  for (const code of [0, 1, 2, 3, 4, 5, 6]) assert.match(help, new RegExp(`^ {2}${code} {2}\\S`, "m"));
});

test("tcpretrans --kubernetes ends on a signal while a program makes the kubeconfig's credentials", async () => {
  const user = { exec: { apiVersion: "client.authentication.k8s.io/v1", command: "sleep", args: ["15"] } };
  const kubeconfig = {
    clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:1", "insecure-skip-tls-verify": true } }],
    users: [{ name: "u", user }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  };
  const path = file("hangs.json", JSON.stringify(kubeconfig));
  await using program = await Program.tracing(["--kubernetes", "--node-name", "n", "--kubeconfig", path]);
  const fromMs = performance.now();
  assert.equal((await program.stop("SIGTERM")).code, 0, program.stderr);
  assert.ok(performance.now() - fromMs < 8000);
});
