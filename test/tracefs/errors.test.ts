import assert from "node:assert/strict";
import { test } from "node:test";
import { SetupError } from "../../src/syscall/setup-error.ts";
import { SystemCallError } from "../../src/syscall/system-call-error.ts";
import { instanceError, noEventError, probeError, refusalError } from "../../src/tracefs/errors.ts";

const DEFINITION = "p:tcpretrans_0badcafe/rtx tcp_retransmit_skb";
const ERRNOS = {
  EPERM: 1,
  ENOENT: 2,
  E2BIG: 7,
  EACCES: 13,
  ENOMEM: 12,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ENOSPC: 28,
  EROFS: 30,
  ERANGE: 34,
  EILSEQ: 84,
  EADDRNOTAVAIL: 99,
  EIO: 5,
};
const failed = (name: keyof typeof ERRNOS) => new SystemCallError("write", ERRNOS[name]);
const root = { skip: process.geteuid?.() === 0 ? false : "needs root" };

const SENTENCES: { errno: keyof typeof ERRNOS; says: string }[] = [
  { errno: "ENOENT", says: "the kernel says ENOENT: the kernel has no such symbol, or it is inlined" },
  {
    errno: "EADDRNOTAVAIL",
    says: "the kernel says EADDRNOTAVAIL: the symbol occurs more than once (refused since 6.6)",
  },
  { errno: "EILSEQ", says: "the kernel says EILSEQ: the address is not the start of an instruction" },
  { errno: "ERANGE", says: "the kernel says ERANGE: a number in the definition is out of range" },
  { errno: "E2BIG", says: "the kernel says E2BIG: the definition is too long for this kernel" },
  {
    errno: "ENODEV",
    says: "the kernel says ENODEV: the trace event does not exist, or event numbers are used up",
  },
  { errno: "EEXIST", says: "the kernel says EEXIST: a probe of this name exists" },
  { errno: "EBUSY", says: "the kernel says EBUSY: the probe is in use" },
  { errno: "ENOSPC", says: "the kernel says ENOSPC: the kernel has no room for more" },
  { errno: "ENOMEM", says: "the kernel says ENOMEM: the kernel is out of memory" },
  {
    errno: "EINVAL",
    says: "the kernel says EINVAL: the definition is invalid here, or no kprobes (CONFIG_KPROBE_EVENTS)",
  },
  { errno: "EIO", says: "the kernel says EIO" },
];
for (const { errno, says } of SENTENCES) {
  test(`probeError() makes one sentence of ${errno}`, () => {
    const error = probeError(DEFINITION, failed(errno), { words: undefined, lockdown: undefined });
    assert.ok(error instanceof SetupError);
    assert.equal(error.code, "no-probe");
    assert.equal(error.message, `Cannot install probe "p:tcpretrans_0badcafe/rtx": ${says}`);
    assert.ok(error.remedy.length > 0);
    assert.equal((error.cause as SystemCallError).code, errno);
  });
}

test("probeError() quotes the kernel where it left words", () => {
  const error = probeError(DEFINITION, failed("EINVAL"), {
    words: "Invalid argument number",
    lockdown: "none",
  });
  assert.match(error.message, /: the kernel says "Invalid argument number" \(EINVAL\)$/);
});

test("probeError() says from which Linux on there are event probes", () => {
  const error = probeError("e:tcpretrans_0badcafe/out tcp.x", failed("EINVAL"), {
    words: undefined,
    lockdown: undefined,
  });
  assert.match(error.message, /event probes \(Linux 5\.15 or newer/);
});

test("probeError() leaves a bug a bug", () => {
  const bug = new TypeError("x is not a function");
  assert.equal(probeError(DEFINITION, bug, { words: undefined, lockdown: undefined }), bug);
});

const REFUSALS = [
  {
    errno: "EPERM",
    lockdown: "confidentiality",
    code: "lockdown",
    says: "kernel lockdown is confidentiality (EPERM)",
  },
  {
    errno: "EPERM",
    lockdown: "integrity",
    code: "refused",
    says: "a security rule refuses it even to root (EPERM)",
  },
  {
    errno: "EACCES",
    lockdown: undefined,
    code: "refused",
    says: "a security rule refuses it even to root (EACCES)",
  },
  { errno: "EROFS", lockdown: undefined, code: "refused", says: "tracefs is mounted read-only" },
] as const;
for (const { errno, lockdown, code, says } of REFUSALS) {
  test(`refusalError() makes ${code} of root's ${errno} with lockdown ${lockdown}`, root, () => {
    for (const error of [
      refusalError("do it", failed(errno), lockdown),
      instanceError("do it", failed(errno), lockdown),
    ]) {
      assert.ok(error instanceof SetupError);
      assert.equal(error.code, code);
      assert.equal(error.message, `Cannot do it: ${says}`);
    }
  });
}

test("instanceError() says what an instance costs when memory is out", () => {
  const error = instanceError("make instance", failed("ENOMEM"), undefined);
  assert.ok(error instanceof SetupError);
  assert.equal(error.code, "instance");
  assert.match(error.remedy, /1\.4 MB for each CPU/);
});

test("noEventError() names the event and the kernel that has it", () => {
  const error = noEventError("tcp", "tcp_retransmit_skb", undefined);
  assert.equal(error.code, "no-event");
  assert.match(error.message, /"tcp:tcp_retransmit_skb": this kernel has no such event/);
  assert.match(error.remedy, /4\.15/);
});
