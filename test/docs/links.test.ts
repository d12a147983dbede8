import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { ROOT, readDocuments } from "./markdown.ts";

const DOCUMENTS = readDocuments();
const ANCHORS = new Map(DOCUMENTS.map(({ file, anchors }) => [file, anchors]));

/** Hosts that every reader can reach; packages and images come from where a reader's own settings say. */
const HOSTS = ["kubernetes.io", "opentelemetry.io", "github.com", "no-color.org"];
/** Directories of any Linux host, and of the agent's port and pod. */
const ROOTS = [
  "proc",
  "sys",
  "etc",
  "var",
  "run",
  "usr",
  "opt",
  "dev",
  "host",
  "metrics",
  "livez",
  "readyz",
  "v1",
  "api",
  "path",
  "spec", // in a patch of an object
  "tls",
];

for (const { file, links } of DOCUMENTS) {
  test(`${file} links to what there is`, () => {
    const broken = links.filter(({ target }) => !leadsSomewhere(file, target));
    assert.deepEqual(broken, []);
  });
}

for (const { file, text } of DOCUMENTS) {
  test(`${file} names no paths of a machine and no hosts that only some reach`, () => {
    const paths = [...text.matchAll(/(?<=^|[\s"'(`=])\/([a-z][\w.-]*)\//gm)].map(([, root = ""]) => root);
    assert.deepEqual(
      paths.filter((root) => !ROOTS.includes(root)),
      [],
    );
    const hosts = [...text.matchAll(/https?:\/\/([\w.-]+)/g)].map(([, host = ""]) => host);
    assert.deepEqual(
      hosts.filter((host) => !isReachable(host)),
      [],
    );
  });
}

test("docs/README.md leads to every document", () => {
  const index = DOCUMENTS.find(({ file }) => file === "docs/README.md");
  const listed = new Set(index?.links.map(({ target }) => normalize(join("docs", target))));
  const documents = DOCUMENTS.map(({ file }) => file).filter((file) => /^docs\/[\w-]+\.md$/.test(file));
  assert.deepEqual(
    documents.filter((file) => file !== "docs/README.md" && !listed.has(file)),
    [],
  );
});

function leadsSomewhere(file: string, target: string): boolean {
  if (/^[a-z]+:/.test(target)) return isReachable(URL.parse(target)?.hostname ?? "");
  const [path = "", anchor] = target.split("#");
  const to = path === "" ? file : normalize(join(dirname(file), path));
  if (!existsSync(join(ROOT, to))) return false;
  return anchor === undefined || ANCHORS.get(to)?.has(anchor) === true;
}

/** By everybody, or by nobody: an address, a bare name, and names that are kept for examples. */
function isReachable(host: string): boolean {
  return (
    HOSTS.includes(host) || /^[\d.]+$|^[\w-]+$|(?:^|\.)example(?:\.com)?$|\.svc$|^collector\./.test(host)
  );
}
