import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");

/** A query in PromQL that a document shows. */
export interface DocumentQuery {
  readonly document: string;
  readonly expr: string;
}

/** Every query of the documents about dashboards and alerts: a line that is not indented begins one, and one that begins with # is a remark. */
export function documentQueries(): readonly DocumentQuery[] {
  const files = [
    ...["README.md", "docs/dashboards.md", "docs/troubleshooting.md"].map((file) => join(ROOT, file)),
    ...globSync(join(ROOT, "docs/runbooks/*.md")).sort(),
  ];
  return files.flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/^( *)```promql\n([\s\S]*?)^ *```$/gm)].flatMap(
      ([, indent = "", block = ""]) =>
        block
          .replaceAll(new RegExp(`^${indent}`, "gm"), "")
          .replaceAll(/^#.*$/gm, "")
          .trim()
          .split(/\n+(?=[^\s)])/)
          .map((expr) => ({ document: basename(file), expr })),
    ),
  );
}
