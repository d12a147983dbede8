import type { ApiProblem } from "./api-problem.ts";
import { notKubernetes } from "./errors.ts";
import { ItemScanner, type ListFrame } from "./json-items.ts";
import { asObject, type JsonObject, textOf } from "./json-value.ts";
import { type Feed, MAX_OBJECT_BYTES, parseCounted } from "./resource-feed.ts";

/** A list stands still for no longer than this, in ms. */
const SILENCE_MS = 60_000;

export interface ListPagesOptions {
  readonly verbs: readonly string[];
  /** Items of a page; undefined: all at once, as the server's cache gives them anyway. */
  readonly limit: number | undefined;
  /** "0" takes what the server has in its cache, which may be old. */
  readonly resourceVersion?: string | undefined;
  readonly signal: AbortSignal;
}

/** A complete list's version, or why it is not complete; what came until then is in the sink either way. */
export type ListEnd =
  | { readonly kind: "listed"; readonly resourceVersion: string }
  | { readonly kind: "problem"; readonly problem: ApiProblem };

/** Lists a resource page by page into the sink, one item at a time. */
export async function listPages<T>(feed: Feed<T>, options: ListPagesOptions): Promise<ListEnd> {
  feed.counters.lists++;
  let page: PageEnd = { kind: "page", resourceVersion: "", next: undefined };
  do {
    page = await readPage(feed, { ...options, after: page.next });
    if (page.kind === "problem") return page;
  } while (page.next !== undefined);
  feed.sink.replaceEnd(feed.clock.unixMs());
  return { kind: "listed", resourceVersion: page.resourceVersion };
}

type PageEnd =
  | { readonly kind: "page"; readonly resourceVersion: string; readonly next: string | undefined }
  | { readonly kind: "problem"; readonly problem: ApiProblem };

async function readPage<T>(
  feed: Feed<T>,
  { verbs, limit, resourceVersion, signal, after }: ListPagesOptions & { readonly after: string | undefined },
): Promise<PageEnd> {
  const { client, clock, counters, sink } = feed;
  const item = (text: string | undefined) => takeItem(feed, text);
  const scanner = new ItemScanner({ maxBytes: MAX_OBJECT_BYTES, item });
  const problem = await client.read(
    { path: feed.path, verbs },
    {
      query: {
        fieldSelector: feed.fieldSelector,
        limit: limit === undefined ? undefined : `${limit}`,
        // A token has its version in itself.
        ...(after === undefined ? { resourceVersion } : { continue: after }),
      },
      signal,
      silenceMs: () => SILENCE_MS,
      opened: () => {
        if (after === undefined) sink.replaceBegin();
      },
      chunk: (bytes) => {
        counters.lastContactMs = clock.unixMs();
        scanner.push(bytes);
        return true;
      },
      received: (bytes) => (counters.bytes += bytes),
    },
  );
  if (problem !== undefined) return { kind: "problem", problem };
  return pageEnd(scanner.end(), client.server);
}

function takeItem<T>({ counters, clock, project, sink }: Feed<T>, text: string | undefined): void {
  counters.items++;
  const parsed = parseCounted(text, counters);
  if (parsed === undefined) return;
  const item = project(parsed.value);
  if (item === undefined) counters.faults["wrong-type"]++;
  else sink.upsert(item, clock.unixMs());
}

function pageEnd({ complete, members }: ListFrame, server: string): PageEnd {
  const metadata = parseObject(members.get("metadata"));
  const resourceVersion = textOf(metadata, "resourceVersion");
  if (complete && resourceVersion !== undefined) {
    return { kind: "page", resourceVersion, next: textOf(metadata, "continue") };
  }
  return { kind: "problem", problem: notKubernetes(server, "it answers a list with no list") };
}

function parseObject(text: string | undefined): JsonObject {
  try {
    return asObject(JSON.parse(text ?? "null")) ?? {};
  } catch {
    return {};
  }
}
