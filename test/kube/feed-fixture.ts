import { setTimeout as wait } from "node:timers/promises";
import type { ApiClient } from "../../src/kube/api-client.ts";
import type { Clock } from "../../src/kube/clock.ts";
import { asObject, objectOf, textOf } from "../../src/kube/json-value.ts";
import { ProblemLog } from "../../src/kube/problem-log.ts";
import type { FeedOptions } from "../../src/kube/resource-feed.ts";
import type { ResourceSink } from "../../src/kube/resource-sink.ts";

/** An object cut to what the tests look at. */
export interface Named {
  readonly uid: string;
  readonly name: string;
}

/** A sink that holds names by uid, marks and sweeps, and remembers its calls. */
export class NameSink implements ResourceSink<Named> {
  readonly held = new Map<string, string>();
  readonly log: string[] = [];
  #listed: Set<string> | undefined;

  get names(): string {
    return [...this.held.values()].sort().join(" ");
  }

  replaceBegin(): void {
    this.log.push("begin");
    this.#listed = new Set();
  }

  upsert({ uid, name }: Named): void {
    this.log.push(`+${name}`);
    this.#listed?.add(uid);
    this.held.set(uid, name);
  }

  remove({ uid, name }: Named): void {
    this.log.push(`-${name}`);
    this.held.delete(uid);
  }

  replaceEnd(): void {
    this.log.push("end");
    for (const uid of this.held.keys()) if (!this.#listed?.has(uid)) this.held.delete(uid);
    this.#listed = undefined;
  }
}

/** An object with a uid and a name, of the kind that is wanted. */
export function projectNamed(object: unknown): Named | undefined {
  const metadata = objectOf(asObject(object) ?? {}, "metadata");
  const [uid, name] = [textOf(metadata, "uid"), textOf(metadata, "name")];
  return uid === undefined || name === undefined ? undefined : { uid, name };
}

/** What a feed of pods needs, with a sink and the lines that were said. */
export function feedOf(client: ApiClient, clock: Clock) {
  const said: string[] = [];
  const sink = new NameSink();
  const problems = new ProblemLog({ say: (line) => said.push(line), clock });
  const feed: FeedOptions<Named> = {
    client,
    clock,
    problems,
    path: "/api/v1/pods",
    project: projectNamed,
    sink,
  };
  return { said, sink, feed };
}

/** Waits until something is so, at most 10 s. */
export async function until(isSo: () => boolean, what = "so"): Promise<void> {
  for (const last = performance.now() + 10_000; !isSo(); await wait(2)) {
    if (performance.now() > last) throw new Error(`Never ${what}`);
  }
}

/** A list's bytes. */
export function listOf(names: readonly string[], { version = "7", next = "" } = {}): string {
  const items = names.map((name) => ({ metadata: { uid: `uid-${name}`, name } }));
  return JSON.stringify({ kind: "PodList", metadata: { resourceVersion: version, continue: next }, items });
}

/** One line of a watch. */
export function eventOf(type: string, name: string, version: string): string {
  const metadata = { uid: `uid-${name}`, name, resourceVersion: version };
  return `${JSON.stringify({ type, object: { kind: "Pod", metadata } })}\n`;
}

/** The bookmark that ends the state of a streaming list, or a later one. */
export function bookmark(version: string, ends = false): string {
  const annotations = ends ? { "k8s.io/initial-events-end": "true" } : {};
  const metadata = { resourceVersion: version, annotations };
  return `${JSON.stringify({ type: "BOOKMARK", object: { kind: "Pod", metadata } })}\n`;
}
