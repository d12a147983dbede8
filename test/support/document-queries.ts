import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");

/** A query in PromQL that a document shows. */
export interface DocumentQuery {
  readonly document: string;
  readonly expr: string;
}

/** Every query of the documents about dashboards and alerts: a line that is not indented begins one. */
export function documentQueries(): readonly DocumentQuery[] {
  const files = [join(ROOT, "docs/dashboards.md"), ...globSync(join(ROOT, "docs/runbooks/*.md")).sort()];
  return files.flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/^( *)```promql\n([\s\S]*?)^ *```$/gm)].flatMap(
      ([, indent = "", block = ""]) =>
        block
          .replaceAll(new RegExp(`^${indent}`, "gm"), "")
          .trim()
          .split(/\n(?=[^\s)])/)
          .map((expr) => ({ document: basename(file), expr })),
    ),
  );
}
