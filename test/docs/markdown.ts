import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The directory that all paths of documents are relative to. */
export const ROOT = join(import.meta.dirname, "../..");

/** A block of code in a document. */
export interface Fence {
  /** What stands behind the opening fence, such as `sh`; empty where nothing does. */
  readonly tag: string;
  /** Number of its first line of code. */
  readonly line: number;
  readonly lines: readonly string[];
  /** Why nothing runs it, by the comment just above; undefined where there is none. */
  readonly notRun: string | undefined;
}

/** What tests ask of a document. */
export interface Document {
  /** Its path from the root of the project. */
  readonly file: string;
  readonly fences: readonly Fence[];
  readonly links: readonly { readonly line: number; readonly target: string }[];
  /** What links lead to within it, as GitHub names headings. */
  readonly anchors: ReadonlySet<string>;
  /** Texts in backticks outside of blocks. */
  readonly codes: readonly { readonly line: number; readonly text: string }[];
  readonly text: string;
}

const FENCE = /^\s*```(\S*)$/;
const HEADING = /^#{1,6} +(.*)$/;
const NOT_RUN = /^<!-- not run: (.+) -->$/;

/** Reads every document of the project for people. */
export function readDocuments(): readonly Document[] {
  const files = ["README.md", "CHANGELOG.md", ...globSync(["docs/**/*.md", "charts/**/*.md"], { cwd: ROOT })];
  return files.sort().map((file) => parseDocument(file, readFileSync(join(ROOT, file), "utf8")));
}

/** Finds in a document's text what tests look at. */
export function parseDocument(file: string, text: string): Document {
  const fences: Fence[] = [];
  const links: { line: number; target: string }[] = [];
  const codes: { line: number; text: string }[] = [];
  const slugs = new Map<string, number>();
  const anchors = new Set<string>();
  let open: { tag: string; line: number; lines: string[]; notRun: string | undefined } | undefined;
  let above = "";
  for (const [i, line] of text.split("\n").entries()) {
    const fence = FENCE.exec(line);
    if (fence !== null && open === undefined) {
      open = { tag: fence[1] ?? "", line: i + 2, lines: [], notRun: NOT_RUN.exec(above.trim())?.[1] };
    } else if (fence !== null && open !== undefined) {
      fences.push(open);
      open = undefined;
    } else if (open !== undefined) {
      open.lines.push(line);
    } else {
      const heading = HEADING.exec(line)?.[1];
      if (heading !== undefined) anchors.add(anchorOf(heading, slugs));
      codes.push(...codesOf(line).map((code) => ({ line: i + 1, text: code })));
      links.push(...linksOf(line).map((target) => ({ line: i + 1, target })));
    }
    if (line.trim() !== "") above = line;
  }
  if (open !== undefined) throw new SyntaxError(`${file}:${open.line}: a block of code has no end`);
  return { file, fences, links, anchors, codes, text };
}

/** The texts in backticks of a line. */
function codesOf(line: string): readonly string[] {
  return [...line.matchAll(/(`+)(.+?)\1/g)].map(([, , code = ""]) => code.trim());
}

/** What a line links to, pictures too. */
function linksOf(line: string): readonly string[] {
  const bare = line.replaceAll(/(`+).+?\1/g, (code) => " ".repeat(code.length));
  return [...bare.matchAll(/\]\(([^)\s]+)\)|<img [^>]*src="([^"]+)"|<a [^>]*href="([^"]+)"/g)].map(
    ([, link, source, reference]) => link ?? source ?? reference ?? "",
  );
}

/** GitHub's anchor of a heading: letters, digits, hyphens and underscores of it; a number behind one that comes again. */
function anchorOf(heading: string, slugs: Map<string, number>): string {
  const slug = heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(/\s/g, "-");
  const times = slugs.get(slug) ?? 0;
  slugs.set(slug, times + 1);
  return times === 0 ? slug : `${slug}-${times}`;
}
