import assert from "node:assert/strict";
import { test } from "node:test";
import { formatVerify } from "../../src/cli/format-verify.ts";
import { exitCode, type VerifyReport, VerifySession } from "../../src/cli/verify.ts";
import type { TcpEvent } from "../../src/event/tcp-event.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import type { CounterName } from "../../src/reconcile/identities.ts";
import { NO_LOSSES } from "../../src/reconcile/losses.ts";
import type { NamespaceRead } from "../../src/reconcile/observed-window.ts";
import { counters, event, KPROBE } from "../reconcile/observations.ts";

/** A kernel with one namespace whose events are decoded only when the session asks for it. */
class Kernel {
  now = 0;
  values: Partial<Record<CounterName, number>> = {};
  reads = 0;
  gone = false;
  /** Retransmits that run while counters are read. */
  duringReads = 0;
  readonly #undecoded: TcpEvent[] = [];
  readonly session = new VerifySession({
    sight: KPROBE,
    readAll: async () => this.read(),
    settle: async () => {
      for (const each of this.#undecoded.splice(0)) this.session.add(each);
    },
    tries: 4,
    slackNanos: 10,
  });

  retransmit({ unseen = false } = {}): void {
    this.now += 1000;
    for (const name of ["RetransSegs", "TCPFastRetrans"] as const)
      this.values[name] = (this.values[name] ?? 0) + 1;
    if (!unseen) this.#undecoded.push(event("fast", { time: this.now, netns: 1 }));
  }

  read(): readonly NamespaceRead[] {
    this.reads += 1;
    this.now += 1000;
    const from = traceNanos(this.now);
    const values = counters(this.values);
    if (this.duringReads > 0) {
      this.duringReads -= 1;
      this.retransmit();
    }
    this.now += 1000;
    return this.gone ? [] : [{ netns: 1, counters: values, from, until: traceNanos(this.now) }];
  }

  async run(during: () => void, { losses = NO_LOSSES } = {}): Promise<VerifyReport> {
    await this.session.start();
    during();
    return await this.session.finish(() => losses);
  }
}

test("VerifySession.finish() reconciles events that were decoded only after the read", async () => {
  const kernel = new Kernel();
  kernel.retransmit();
  const report = await kernel.run(() => {
    kernel.retransmit();
    kernel.retransmit();
  });
  assert.equal(exitCode(report), 0);
  assert.equal(report.totals[0]?.kernel, 2);
  assert.equal(report.totals[0]?.seen, 2);
  assert.equal(kernel.reads, 2);
});

test("VerifySession.start() reads again until no event falls into the read", async () => {
  const kernel = new Kernel();
  kernel.duringReads = 2;
  const report = await kernel.run(() => kernel.retransmit());
  assert.equal(kernel.reads, 3 + 1);
  assert.deepEqual([report.totals[0]?.low, report.totals[0]?.high, report.totals[0]?.kernel], [1, 1, 1]);
});

test("VerifySession.finish() gives a range after a bounded number of reads", async () => {
  const kernel = new Kernel();
  const report = await kernel.run(() => {
    kernel.retransmit();
    kernel.duringReads = 99;
  });
  assert.equal(kernel.reads, 1 + 4);
  assert.equal(exitCode(report), 0);
  assert.deepEqual([report.totals[0]?.low, report.totals[0]?.high], [4, 5]);
  assert.match(
    formatVerify(report, { color: false }),
    /RetransSegs .* 4 to 5 .* 1 within a read of the counters/,
  );
});

test("exitCode() gives 3 for a retransmit that nobody saw", async () => {
  const kernel = new Kernel();
  const report = await kernel.run(() => {
    kernel.retransmit();
    kernel.retransmit({ unseen: true });
  });
  assert.equal(exitCode(report), 3);
  const text = formatVerify(report, { color: false });
  assert.match(
    text,
    /^RetransSegs +sent \+ SYN-ACK \+ TCPRetransFail +1 +2 {2}differs +1 not seen, unexplained$/m,
  );
  assert.match(text, /^net:\[1\]$/m);
  assert.match(text, /^2 differences unexplained$/m);
});

test("exitCode() gives 0 when a named loss explains the difference", async () => {
  const kernel = new Kernel();
  const losses = { ...NO_LOSSES, overrun: 1 };
  const report = await kernel.run(() => kernel.retransmit({ unseen: true }), { losses });
  assert.equal(exitCode(report), 0);
  const text = formatVerify(report, { color: false });
  assert.match(text, /differs +1 not seen: 1 lost to buffer overrun$/m);
  assert.match(text, /^Lost: 1 lost to buffer overrun$/m);
  assert.match(text, /^Every difference is explained by a named loss$/m);
});

test("formatVerify() names a namespace that is gone on one line", async () => {
  const kernel = new Kernel();
  const report = await kernel.run(() => {
    kernel.retransmit();
    kernel.gone = true;
  });
  assert.equal(exitCode(report), 0);
  const text = formatVerify(report, { color: false });
  assert.match(text, /^net:\[1\] unverifiable: namespace gone; 1 segment seen$/m);
  assert.match(text, /^All that can be checked reconciles; 6 comparisons could not be made$/m);
});

test("formatVerify() shows each identity in total and what was seen by cause", async () => {
  const kernel = new Kernel();
  const report = await kernel.run(() => kernel.retransmit());
  assert.equal(
    formatVerify(report, { color: false }),
    `Verified against the kernel's counters over 1 network namespace, kprobe rung

CAUSE                        SENT       FAILED     SEGMENTS
fast                            1            0            1

COUNTER              IS                                                      SEEN       KERNEL  VERDICT
RetransSegs          sent + SYN-ACK + TCPRetransFail                            1            1  reconciles
TCPFastRetrans       fast + reordering                                          1            1  reconciles
TCPSlowStartRetrans  slow_start + mtu                                           0            0  reconciles
TCPSynRetrans        syn + syn_ack                                              0            0  reconciles
TCPLossProbes        retransmitted + new data                                   0            0  reconciles
TCPTimeouts          timeout + SYN + SYN-ACK timers + final expiries            0            0  reconciles

All that can be checked reconciles
`,
  );
});

test("formatVerify() colours verdicts only when told to", async () => {
  const kernel = new Kernel();
  const report = await kernel.run(() => kernel.retransmit({ unseen: true }));
  const colored = formatVerify(report, { color: true });
  assert.ok(!formatVerify(report, { color: false }).includes("\x1b"));
  assert.ok(colored.includes("\x1b[31mdiffers\x1b[0m"));
  assert.ok(colored.includes("\x1b[32mreconciles\x1b[0m"));
});
