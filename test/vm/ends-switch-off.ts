import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ATTRIBUTES } from "../../src/export/attributes.ts";
import type { EndsGround, Watched } from "./ends-ground.ts";
import { append } from "./foreign.ts";
import { until } from "./pair.ts";

/** It looks once a second; putting a dozen probes back takes an emulated and busy processor longer than that. */
const NOTICED_MS = 6_000;

/** A way in which another program can keep our probes from recording. */
interface Way {
  readonly removes: boolean;
  readonly act: (watched: Watched, ground: EndsGround) => void;
}

const WAYS: readonly Way[] = [
  { removes: false, act: ({ instance }) => writeFileSync(join(instance, "events/enable"), "0") },
  { removes: false, act: ({ instance }) => writeFileSync(join(instance, "tracing_on"), "0") },
  { removes: true, act: remove },
];

/** Disturbs one program in each way, while the kernel retransmits: noticed, said, repaired and owned up to. */
export async function switchOff(ground: EndsGround): Promise<void> {
  await using started = new AsyncDisposableStack();
  const all: { readonly way: Way; readonly watched: Watched }[] = [];
  for (const way of WAYS) {
    const watched = await ground.trace(["--probe=kprobe", "--json", "-l", "--verify"]);
    all.push({ way, watched: started.use(watched) });
  }
  const stop = ground.flowing();
  const disturbed = await Promise.allSettled(all.map(({ way, watched }) => disturb(watched, ground, way)));
  await stop();
  for (const result of disturbed) if (result.status === "rejected") throw result.reason;
  for (const { watched } of all) await endAfterGap(watched);
}

async function disturb(watched: Watched, ground: EndsGround, way: Way): Promise<void> {
  const { program } = watched;
  await program.until(() => watched.sent > 0, "showed an event before");
  const ids = eventIds(watched, ground);
  program.child.kill("SIGSTOP"); // it must not repair before anything is lost
  way.act(watched, ground);
  const lost = watched.witnessed().length;
  await until("retransmit in the gap", () => watched.witnessed().length > lost + 1);
  const begun = performance.now();
  program.child.kill("SIGCONT");
  await program.says(/^Another program had switched probes off; they are in place again: .*attempt_/m);
  const tookMs = performance.now() - begun;
  assert.ok(tookMs < NOTICED_MS, `noticed after ${tookMs.toFixed()} ms`);
  const { sent } = watched;
  await program.until(() => watched.sent > sent + 3, "showed events after");
  const again = eventIds(watched, ground);
  assert.equal(again.length, ids.length);
  if (way.removes) assert.notDeepEqual(again, ids, "the same event ids: the check shows nothing");
}

async function endAfterGap(watched: Watched): Promise<void> {
  await watched.end();
  const { stderr } = watched.program;
  assert.match(stderr, /^Lost: .*probes switched off by another program/m);
  assert.match(stderr, /Every difference is explained by a named loss/);
  assert.doesNotMatch(stderr, /Not decoded/);
  const failed = watched.events().filter((event) => event[ATTRIBUTES.outcome] === "failed").length;
  assert.equal(failed, 0, `${failed} attempts shown as failed that were only cut from their outcomes`);
}

/** Disables and removes every probe of a program, as another tool's clean-up might. */
function remove(watched: Watched, ground: EndsGround): void {
  const group = groupOf(watched);
  const control = join(ground.tracing, "dynamic_events");
  writeFileSync(join(watched.instance, "events/enable"), "0");
  for (const event of eventsOf(watched, ground)) append(control, `-:${group}/${event}`);
  // Takes one of the ids that are free now: no probe that is put back gets the one that it had.
  append(control, "p:late/late_probe tcp_retransmit_skb");
}

/** Kernel numbers of a program's own events. */
function eventIds(watched: Watched, ground: EndsGround): readonly string[] {
  const directory = join(ground.tracing, "events", groupOf(watched));
  return eventsOf(watched, ground).map((event) => readFileSync(join(directory, event, "id"), "utf8"));
}

function eventsOf(watched: Watched, { tracing }: EndsGround): readonly string[] {
  try {
    const names = readdirSync(join(tracing, "events", groupOf(watched)), { withFileTypes: true });
    return names.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    return []; // the group goes with its last event
  }
}

function groupOf({ instance }: Watched): string {
  return `tcpretrans_${instance.slice(-8)}`;
}
