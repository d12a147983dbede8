import { setTimeout as sleep } from "node:timers/promises";
import { Handover } from "../agent/handover.ts";
import { listCollector } from "../agent/list-collector.ts";
import { memoryGiver } from "../agent/memory-giver.ts";
import type { OwnLog } from "../agent/own-log.ts";
import { pump } from "../agent/pump.ts";
import { readOwnMemory } from "../host/own-memory.ts";
import { openLibc } from "../syscall/libc.ts";
import { unmapProgram } from "../syscall/program-pages.ts";
import { SetupError } from "../syscall/setup-error.ts";
import { removeLeftovers } from "../tracefs/leftovers.ts";
import { findLivingAgents } from "../tracefs/living-agents.ts";
import type { AgentEnding, AgentHost } from "./agent.ts";
import { openCapture } from "./agent-capture.ts";
import type { AgentParts } from "./agent-parts.ts";
import { agentPipeline } from "./agent-pipeline.ts";
import type { Grace } from "./grace.ts";
import { livePipeline } from "./live-pipeline.ts";
import { sightOfSession } from "./live-verify.ts";
import { NodeCounters } from "./node-counters.ts";
import { podFollower } from "./pod-follower.ts";
import type { Session } from "./session.ts";

export interface Running {
  readonly parts: AgentParts;
  readonly host: AgentHost;
  readonly grace: Grace;
  /** Called when something is captured. */
  readonly capturing: () => void;
}

const EXPIRE_EVERY = 5;
const LIST_LOOK_MS = 200;
/** What is left to others of the time for the end, while a last look is taken at the kernel's counters. */
const LAST_LOOK = 0.25;
/** Behind the second at which two agents part: the newer one must not see the older record before it. */
const PAST_NANOS = 2e6;
/** The newer one must find it stopped within the same second: one that wakes up so late takes the next. */
const LATE_NANOS = 300e6;
const YIELDS = 5;

/**
 * Reads the node's counters and captures until the end is asked for and all that was recorded by then is through; the
 * probes are gone then. Where nothing may be captured, the counters are read meanwhile.
 */
export async function runUntil(
  ending: AgentEnding,
  { parts, host, grace, capturing }: Running,
): Promise<void> {
  const broken = new AbortController();
  const signal = AbortSignal.any([ending.signal, broken.signal]);
  const counters = nodeCounters(parts, host);
  parts.counters = counters;
  const hand = secondHand(parts, host);
  using ownPace = everySecond(hand);
  const turn = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => turn.resolve(), { once: true });
  const following = turn.promise.then(() => counters.follow(signal)).finally(() => broken.abort());
  following.catch(() => {}); // it is awaited below, where the capture is undone
  using session = await openCapture(parts, { host, signal, refused: turn.resolve });
  if (session === undefined) return await following;
  capturing();
  ownPace[Symbol.dispose]();
  session.onSecond.add(hand); // the tick's: each time the process wakes up costs it 0.1 ms
  const live = livePipeline(session, { synAckTimer: (timer) => counters.observe(timer) });
  const handover = openHandover(parts, session);
  const pumping = pump(agentPipeline(parts, { session, live, counters, host, handover }));
  pumping.catch(() => {}); // likewise
  void handover.begun.then(() => {
    const { epochNanos } = session.source;
    counters.compare({ sight: sightOfSession(session), settle: () => live.settled.settle(), epochNanos });
    turn.resolve();
  });
  await Promise.race([aborted(signal), pumping]);
  parts.shuttingDown = true;
  await grace.within(
    LAST_LOOK,
    following.then(() => counters.read()),
  );
  await grace.within(1, yieldToNewer(handover, session));
  session.source.stop();
  handover.parted();
  await pumping;
  if (parts.capturing === undefined) return;
  const losses = parts.capturing.losses();
  parts.capturing = { ...parts.capturing, losses: () => losses };
}

/** Who counts, of the agents of this node that run. */
function openHandover({ log }: AgentParts, session: Session): Handover {
  const { tracefs, source, capture } = session;
  const handover = new Handover({
    older: () => findLivingAgents(tracefs, capture.instance.name).filter(({ isOlder }) => isOlder),
    now: () => source.now(),
    epochNanos: source.epochNanos,
  });
  const { state } = handover;
  if (state.kind !== "waiting") return handover;
  void source.lookOftenUntil(handover.begun);
  const say = log.as("handover");
  say.info(
    `Another agent of this node runs (${state.older.join(", ")}): this one captures, and counts from when that has ended`,
  );
  void handover.begun.then(() => {
    if (handover.state.kind === "beside") say.warn(`${BESIDE} (${handover.state.older.join(", ")})`);
    else say.info(`The agent before has ended: this one counts; ${handover.left} events were left to that`);
    if (handover.unsureSeconds > 0) say.warn(late(handover.unsureSeconds));
    sweep(tracefs, say);
  });
  return handover;
}

/** A killed agent's probes are still there. */
function sweep(tracefs: Session["tracefs"], say: OwnLog): void {
  try {
    removeLeftovers(tracefs);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say.warn(`${error.message}. ${error.remedy}`);
  }
}

const BESIDE =
  "Another agent of this node does not end: both count from now on, and sums over both hold everything twice. Remove one";

function late(seconds: number): string {
  return `This agent did not get to look while the one before ended: events of up to ${seconds} s are in neither. Look whether it gets enough CPU`;
}

/** Where a newer agent waits, lets the capture go on to the next whole second, and leaves it what is later. */
async function yieldToNewer(handover: Handover, { tracefs, source, capture }: Session): Promise<void> {
  if (findLivingAgents(tracefs, capture.instance.name).every(({ isOlder }) => isOlder)) return;
  for (let tries = YIELDS; tries > 0; tries--) {
    const until = handover.yield() + PAST_NANOS;
    while (source.now() < until) await sleep(Math.ceil((until - source.now()) / 1e6));
    if (source.now() < until + LATE_NANOS) return;
  }
}

function nodeCounters(parts: AgentParts, host: AgentHost): NodeCounters {
  const { config, names, metrics } = parts;
  return new NodeCounters({
    procRoot: config.host.procPath,
    libc: openLibc({ disabled: host.noFfi }),
    podOf: (netns) => {
      const space = names?.host.namespace(netns);
      return space?.kind === "pod" ? names?.watch.index.podByUid(space.podUid)?.uid : undefined;
    },
    podCounters: (uid, reading) => metrics.podCounters(uid, reading),
  });
}

function everySecond(hand: () => void): Disposable {
  const timer = setInterval(hand, 1000);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** To be called about once a second: what is new on the node, what is over, and what is said again. */
function secondHand(parts: AgentParts, host: AgentHost): () => void {
  const followPods = podFollower(parts);
  const giveMemory = openMemoryGiver(host);
  const awaitLists = openListCollector(parts, host);
  let seconds = 0;
  return () => {
    if (parts.capturing === undefined) lookAround(parts);
    followPods();
    parts.exportWatch.look(Date.now());
    if (parts.capturing?.handover.look()) {
      parts.log.as("handover").info("The other agent of this node has ended: this one counts alone");
    }
    parts.log.remind();
    giveMemory();
    awaitLists();
    if (++seconds % EXPIRE_EVERY === 0) parts.metrics.expire(Date.now());
  };
}

/** Without --expose-gc, which bin/tcpretrans and the image start Node with, only free memory of malloc is given back. */
function openMemoryGiver({ noFfi }: AgentHost): () => void {
  const libc = openLibc({ disabled: noFfi });
  const unmap = () => {
    if (libc !== undefined) unmapProgram(libc);
  };
  return memoryGiver({
    cpuUs: () => {
      const { user, system } = process.cpuUsage();
      return user + system;
    },
    ownBytes: () => readOwnMemory() ?? process.memoryUsage.rss(),
    giveBack: () => {
      globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
      libc?.trim();
      unmap();
    },
    unmap,
    collect: () => globalThis.gc?.({ type: "major", execution: "sync" }),
  });
}

/** To be called once a second: looks more often by itself as long as lists are awaited. */
function openListCollector(parts: AgentParts, { noFfi }: AgentHost): () => void {
  const libc = openLibc({ disabled: noFfi });
  // What only starting has needed need not lie beside what lists need.
  if (libc !== undefined) unmapProgram(libc);
  const look = listCollector({
    ownBytes: () => readOwnMemory() ?? process.memoryUsage.rss(),
    listedBytes: () => listedBytes(parts),
    collect: () => {
      globalThis.gc?.({ type: "major", execution: "sync" });
      libc?.trim();
    },
  });
  let isWaiting = false;
  const goOn = () => {
    if (listedBytes(parts) === undefined) look();
    else if (!isWaiting) wait();
  };
  const wait = () => {
    isWaiting = true;
    setTimeout(again, LIST_LOOK_MS).unref();
  };
  const again = () => {
    isWaiting = false;
    look();
    goOn();
  };
  goOn();
  return goOn;
}

/** What has come in of the API's objects so far; undefined while no list is awaited. */
function listedBytes({ names }: AgentParts): number | undefined {
  if (names === undefined || !names.watch.index.pending) return undefined;
  let bytes = 0;
  for (const { counters } of names.watch.resources().values()) bytes += counters.bytes;
  return bytes;
}

/** What the data path does while there is one: what is new on the host, and what names are too old. */
function lookAround({ names }: AgentParts): void {
  names?.refresh();
  names?.watch.index.expire(Date.now());
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  return promise;
}
