import assert from "node:assert/strict";
import { test } from "node:test";
import { formatDoctorJson } from "../../src/cli/doctor.ts";
import { advise, bestRung } from "../../src/cli/doctor-advice.ts";
import { formatDoctor } from "../../src/cli/format-doctor.ts";
import { type Entry, layOut } from "../../src/cli/lay-out.ts";
import { withoutIds } from "../../src/cli/try-rung.ts";
import { FULL_SIGHT, facts, HOSTS, LEAST_SIGHT, NO_EPROBES, NO_KPROBES, works } from "./doctor-cases.ts";

for (const { name, verdict, facts: host } of HOSTS) {
  test(`formatDoctor() puts a host ${name} on one screen, the answer first`, () => {
    const text = formatDoctor(host);
    const lines = text.split("\n").slice(0, -1);
    assert.ok(text.startsWith(verdict), text);
    assert.ok(lines.length < 40, `${lines.length} lines:\n${text}`);
    assert.deepEqual(
      lines.filter((line) => line.length > 100 || line !== line.trimEnd() || line.includes("……")),
      [],
    );
    for (const rung of ["kprobe", "eprobe", "tracepoint", "counters"]) {
      assert.equal(lines.filter((line) => line.slice(7).startsWith(`${rung} `)).length, 1, rung);
    }
  });
}

test("formatDoctor() says that nothing is missing only where nothing is", () => {
  const headline = (sight: typeof FULL_SIGHT) =>
    formatDoctor(facts({ rungs: [works("kprobe", sight)] })).split("\n")[0];
  const all = "OK: retransmits of this host can be captured (kprobe), everything that tcpretrans can tell";
  assert.equal(headline(FULL_SIGHT), all);
  const less: readonly Partial<typeof FULL_SIGHT>[] = [
    { failures: "none" },
    { segments: "computed" },
    { networkNamespace: false },
    { cgroup: false },
    { socket: false },
    { rto: false },
    { synAcks: false },
    { lossProbes: "retransmitting" },
    { merged: { mtu: "slow_start" } },
  ];
  for (const lack of less) assert.notEqual(headline({ ...FULL_SIGHT, ...lack }), all, JSON.stringify(lack));
  assert.doesNotMatch(formatDoctor(facts()), /^ {2}no |What to do/m);
});

test("formatDoctor() quotes the kernel for what it refused, and says what is seen and what is not", () => {
  const text = formatDoctor(facts({ rungs: [NO_KPROBES, NO_EPROBES, works("tracepoint", LEAST_SIGHT)] }));
  for (const part of [
    "  no   kprobe     Cannot install kprobes: this kernel was built without CONFIG_KPROBE_EVENTS\n",
    "  no   eprobe     Cannot install probe e:outcome: the kernel says EINVAL: ",
    "  yes  tracepoint works, and is what tcpretrans uses\n",
    "  yes  causes syn syn_ack\n",
    "  no   causes timeout fast slow_start: shown as other\n",
    "  no   cause window_probe: shown as timeout\n",
    "  no   network namespace, cgroup, RTO, RTT, cwnd and more of the socket: needs kprobe or eprobe\n",
    "  - For kprobe: boot a kernel with CONFIG_KPROBE_EVENTS=y",
  ]) {
    assert.ok(text.includes(part), `${part}\nis not in\n${text}`);
  }
});

test("formatDoctor() lists refused probes of the rung in use only", () => {
  const note = "Cause mtu is not told apart: Cannot install probe p:mtu_enter: the kernel says ENOENT";
  const used = formatDoctor(facts({ rungs: [works("kprobe", FULL_SIGHT, [note])] }));
  assert.match(used, /^ {18}Cause mtu is not told apart: p:mtu_enter: the kernel says ENOENT$/m);
  const unused = [works("eprobe", FULL_SIGHT), works("tracepoint", LEAST_SIGHT, [note])];
  assert.doesNotMatch(formatDoctor(facts({ rungs: unused })), /Cause mtu/);
});

test("formatDoctor() says first why nothing can be captured", () => {
  const headline = (host: Parameters<typeof formatDoctor>[0]) => formatDoctor(host).split("\n\n")[0];
  const locked = HOSTS.find(({ name }) => name === "under lockdown")!.facts;
  const words = headline(locked)?.replace(/\s+/g, " ");
  assert.match(
    words ?? "",
    /^NO: .* cannot be captured\. Cannot use tracefs: kernel lockdown is confidentiality/,
  );
  const noEvent = { ...NO_KPROBES, rung: "tracepoint", reason: "This kernel has no such event" } as const;
  assert.match(headline(facts({ rungs: [NO_KPROBES, NO_EPROBES, noEvent] })) ?? "", /no such event$/);
});

test("formatDoctor() offers counters only where counters can be read", () => {
  const none = { found: 0, readable: 0, reason: undefined };
  assert.match(formatDoctor(facts({ rungs: [], namespaces: none })), /^ {2}no {3}counters /m);
  assert.match(formatDoctor(facts({ rungs: [] })), /^ {2}yes {2}counters /m);
});

const ADVICE = [
  { name: "a host with every rung", host: facts(), says: [] },
  {
    name: "a kernel without BTF",
    host: facts({
      kernel: { btf: { kind: "absent", missing: [] } },
      rungs: [
        { ...NO_KPROBES, code: "no-btf" },
        { ...NO_EPROBES, code: "no-btf" },
        works("tracepoint", { ...FULL_SIGHT }),
      ],
    }),
    says: ["For kprobe and eprobe: boot a kernel with CONFIG_DEBUG_INFO_BTF=y"],
  },
  {
    name: "ftrace switched off",
    host: facts({ kernel: { ftraceEnabled: false }, rungs: [NO_KPROBES, works("eprobe", FULL_SIGHT)] }),
    says: ["For kprobe: run sysctl kernel.ftrace_enabled=1"],
  },
  {
    name: "a rung below the best one",
    host: facts({ rungs: [works("kprobe", { ...FULL_SIGHT, segments: "computed" }), NO_EPROBES] }),
    says: [
      "For the kernel's own segment counts: boot a kernel with CONFIG_EPROBE_EVENTS=y (Linux 5.15 or newer)",
    ],
  },
  {
    name: "a symbol that is not there",
    host: facts({
      rungs: [
        { ...NO_KPROBES, reason: "Cannot install probe p:attempt: ENOENT" },
        works("eprobe", FULL_SIGHT),
      ],
    }),
    says: ["For kprobe: boot another kernel build; this one refuses the probe itself"],
  },
  {
    name: "a security rule",
    host: facts({ rungs: [{ ...NO_KPROBES, code: "refused", remedy: "Run it privileged" }] }),
    says: ["For kprobe: run it privileged"],
  },
  {
    name: "hidden symbols on the tracepoint rung",
    host: facts({ kernel: { kallsyms: false }, rungs: [works("tracepoint", LEAST_SIGHT)] }),
    says: ["For causes: run sysctl kernel.kptr_restrict=1, and give CAP_SYSLOG in a pod"],
  },
  {
    name: "no tcp_cong_state_set on the tracepoint rung",
    host: facts({ rungs: [works("tracepoint", LEAST_SIGHT)] }),
    says: ["For fast and slow_start: boot Linux 6.1 or newer, which has tcp:tcp_cong_state_set"],
  },
  {
    name: "an unknown HZ",
    host: facts({ kernel: { hz: undefined } }),
    says: ["For RTO in seconds: let /proc/timer_list be read; right after boot, run this again"],
  },
  {
    name: "namespaces that cannot be read",
    host: facts({ namespaces: { found: 2, readable: 1, reason: "spawn nsenter ENOENT" } }),
    says: ["For counters of every namespace: install nsenter (util-linux) or run on Node 26, privileged"],
  },
] as const;

for (const { name, host, says } of ADVICE) {
  test(`advise() says what to do about ${name}`, () => assert.deepEqual(advise(host), says));
}

test("bestRung() takes the first that works, none where none does", () => {
  const tracepoint = works("tracepoint", LEAST_SIGHT);
  assert.equal(bestRung({ rungs: [NO_KPROBES, NO_EPROBES, tracepoint] }), tracepoint);
  assert.equal(bestRung({ rungs: [NO_KPROBES] }), undefined);
});

test("formatDoctorJson() gives one line with the same keys on every host, null where unknown", () => {
  const keys = HOSTS.map(({ facts: host }) => {
    const line = formatDoctorJson(host);
    assert.equal(line.indexOf("\n"), line.length - 1);
    return JSON.stringify(Object.keys(JSON.parse(line)).toSorted());
  });
  const wanted = "advice kernel namespaces node possible probes rung rungs tracefs tracepoints uid".split(
    " ",
  );
  assert.deepEqual(new Set(keys), new Set([JSON.stringify(wanted)]));
  const locked = JSON.parse(formatDoctorJson(HOSTS.find(({ name }) => name === "under lockdown")!.facts));
  assert.deepEqual([locked.possible, locked.rung, locked.probes], [false, null, null]);
  assert.equal(JSON.parse(formatDoctorJson(facts({ kernel: { hz: undefined } }))).kernel.hz, null);
  const [kprobe] = JSON.parse(formatDoctorJson(facts({ rungs: [NO_KPROBES] }))).rungs;
  assert.match(kprobe.remedy, /^For kprobe: boot /, "the doctor's own remedy, not: use --probe=auto");
});

test("withoutIds() takes out what differs from start to start", () => {
  assert.equal(
    withoutIds(
      'Cannot install probe "e:tcpretrans_00c0ffee/syn_ack_00c0ffee": the kernel says "Bad" (EINVAL)',
    ),
    'Cannot install probe e:syn_ack: the kernel says "Bad" (EINVAL)',
  );
  assert.equal(
    withoutIds('Cannot make instance "tcpretrans-00c0ffee": ENOMEM'),
    'Cannot make instance "tcpretrans-ID": ENOMEM',
  );
});

test("layOut() goes on below a long text, once, and marks what it cut", () => {
  assert.equal(
    layOut([
      ["", "Heading"],
      ["", ""],
      ["label", "a few words"],
    ]),
    "Heading\n\nlabel a few words\n",
  );
  const [first, second, ...more] = layOut([["label", "word ".repeat(60).trim()]]).split("\n");
  assert.deepEqual(more, [""]);
  assert.ok(first!.length <= 100 && second!.length <= 100);
  assert.match(second!, /^ {6}word .*…$/);
  assert.equal(layOut([["label", "x".repeat(300)]]), `label ${"x".repeat(93)}…\n`);
});

test("layOut() cuts each text after one line where two would not fit on the screen", () => {
  const entries = Array.from({ length: 30 }, (): Entry => ["label", "word ".repeat(30).trim()]);
  const lines = layOut(entries).trimEnd().split("\n");
  assert.equal(lines.length, 30);
  assert.ok(lines.every((line) => line.startsWith("label word") && line.endsWith("…")));
  assert.equal(
    layOut([...entries, ...entries])
      .trimEnd()
      .split("\n").length,
    39,
  );
});
