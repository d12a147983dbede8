import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { SlimPod } from "../../src/kube/slim.ts";
import { anIndex, aPod, list, whoAt } from "./slim-objects.ts";

const PODS = 10_000;
const NODES = 50;
/** A pod lives three hours on average. */
const DEATHS_PER_SECOND = PODS / 10_800;
const HOUR = 3600;
const BEGAN = 1_000_000;

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

test("OwnerIndex holds a day of 10,000 pods that come and go in the memory of its second hour, and names each", () => {
  const world = new World();
  const heap: number[] = [];
  for (let hour = 1; hour <= 24; hour++) {
    world.pass(HOUR);
    if (hour === 2 || hour === 24) heap.push(heapUsed());
  }
  const [second = 0, last = 0] = heap;
  assert.ok(last < second * 1.05, `${last} bytes after 24 hours, ${second} after 2`);
  const { pods, tombstones, tombstonesDropped } = world.index.counts();
  assert.equal(tombstonesDropped, 0);
  // Those that died during the last ten minutes are remembered.
  assert.ok(pods - PODS < DEATHS_PER_SECOND * 700, `${pods} pods`);
  assert.ok(tombstones < DEATHS_PER_SECOND * 700, `${tombstones} tombstones`);
  assert.ok(world.died > PODS * 7, `${world.died} died`);
  assert.ok(world.named > world.asked * 0.95, `${world.named} of ${world.asked} named`);
});

/** A cluster whose time passes second by second. */
class World {
  readonly index = anIndex();
  died = 0;
  asked = 0;
  named = 0;
  #second = BEGAN;
  #born = 0;
  readonly #random = pseudoRandom(7);
  readonly #running: SlimPod[] = [];
  /** Of `#running`, those that are gone and wait for a successor. */
  readonly #over = new Set<string>();
  /** Addresses of each node that nobody has; the one freed last is taken first, as an exhausted range does it. */
  readonly #free = Array.from({ length: NODES }, (_, node) =>
    Array.from({ length: 240 }, (_, i) => `10.0.${node}.${i + 2}`),
  );
  readonly #later = new Map<number, (() => void)[]>();

  constructor() {
    for (let i = 0; i < PODS; i++)
      this.#running.push(this.#newPod(i % NODES, this.#free[i % NODES]?.pop() ?? ""));
    list(this.index.pods, this.#running, BEGAN * 1000);
  }

  pass(seconds: number): void {
    for (const until = this.#second + seconds; this.#second < until; this.#second++) {
      for (const act of this.#later.get(this.#second) ?? []) act();
      this.#later.delete(this.#second);
      if (this.#random() < DEATHS_PER_SECOND % 1) this.#replaceOne();
      for (let i = 1; i <= DEATHS_PER_SECOND; i++) this.#replaceOne();
      this.index.expire(this.#second * 1000);
      if (this.#second % 30 === 0) this.#ask();
      // A watch breaks every six hours: the list comes in again.
      if (this.#second % (6 * HOUR) === 0) this.#relist();
    }
  }

  /** A pod is asked to go; another takes its node and, half the time, its address. */
  #replaceOne(): void {
    const at = Math.floor(this.#random() * this.#running.length);
    const old = this.#running[at];
    if (old === undefined || old.terminatingSeconds !== undefined) return;
    const asked = { ...old, terminatingSeconds: this.#second };
    this.#running[at] = asked;
    const node = Number(old.addresses[0]?.split(".")[2]);
    this.#tell(asked, 0);
    this.#in(3, () => {
      const over = { ...asked, terminal: true, finished: true, finishedSeconds: this.#second - 1 };
      this.index.pods.upsert(over, this.#second * 1000 + 400);
      this.index.pods.remove(over, this.#second * 1000 + 500);
      this.died++;
      this.#over.add(over.uid);
      const free = this.#free[node] ?? [];
      const [freed = ""] = old.addresses;
      const takes = this.#random() < 0.5 ? freed : (free.pop() ?? freed);
      if (takes !== freed) free.push(freed);
      const successor = this.#newPod(node, takes);
      this.#tell({ ...successor, addresses: [], networkSeconds: undefined }, 600);
      this.#in(2, () => {
        this.#running[this.#running.indexOf(asked)] = successor;
        this.#over.delete(over.uid);
        this.#tell(successor, 0);
      });
    });
  }

  #newPod(node: number, address: string): SlimPod {
    const i = this.#born++;
    // Every tenth is a Job of its own, whose name comes once.
    const workload =
      i % 10 === 0 ? { kind: "Job", name: `job-${i}` } : { kind: "Deployment", name: `app-${i % 500}` };
    return aPod({
      uid: `0f3c1f0e-6f0d-4b57-9d2c-${String(i).padStart(12, "0")}`,
      name: `${workload.name}-7d9f8b6c5d-${i.toString(36).padStart(5, "0")}`,
      namespace: `team-${i % 20}`,
      nodeName: `node-${node}`,
      addresses: [address],
      workload: { ...workload, inferred: false },
      startSeconds: this.#second,
      networkSeconds: this.#second + 1,
    });
  }

  /** Asks for some running pods by address, now and a minute ago. */
  #ask(): void {
    for (let i = 0; i < 10; i++) {
      const pod = this.#running[Math.floor(this.#random() * PODS)];
      const [address = ""] = pod?.addresses ?? [];
      const answer = whoAt(this.index, address, this.#second * 1000);
      this.asked++;
      if (answer === pod?.name) this.named++;
      else assert.match(answer, /^(ambiguous|† .*)$/);
      if (answer.startsWith("†")) assert.equal(answer, `† ${pod?.name}`);
    }
  }

  #relist(): void {
    // Asking the index would make objects of all.
    const told = this.#running.filter(({ uid }) => !this.#over.has(uid));
    list(this.index.pods, told, this.#second * 1000);
  }

  #tell(pod: SlimPod, afterMs: number): void {
    this.index.pods.upsert(pod, this.#second * 1000 + afterMs);
  }

  #in(seconds: number, act: () => void): void {
    const at = this.#second + seconds;
    const acts = this.#later.get(at);
    if (acts === undefined) this.#later.set(at, [act]);
    else acts.push(act);
  }
}

function heapUsed(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
function pseudoRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
