import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { ROOT, readDocuments } from "./markdown.ts";

const DOCUMENTS = readDocuments();
const ANCHORS = new Map(DOCUMENTS.map(({ file, anchors }) => [file, anchors]));

/** Hosts that every reader can reach; packages and images come from where a reader's own settings say. */
const HOSTS = [
  "kubernetes.io",
  "opentelemetry.io",
  "github.com",
  "no-color.org",
  "www.kernel.org",
  "example.com",
];

for (const { file, links } of DOCUMENTS) {
  test(`${file} links to what there is`, () => {
    const broken = links.filter(({ target }) => !leadsSomewhere(file, target));
    assert.deepEqual(broken, []);
  });
}

for (const { file, text } of DOCUMENTS) {
  test(`${file} names no machine's paths and no registry of packages`, () => {
    const found = text.match(
      /(?:^|[\s"'(`=])(?:\/work\/|\/tmp\/|\/root\/|\/home\/)\S*|registry\.npmjs\.org|proxy\.golang\.org|deb\.debian\.org/gm,
    );
    assert.equal(found, null);
  });
}

function leadsSomewhere(file: string, target: string): boolean {
  if (/^[a-z]+:/.test(target)) return HOSTS.includes(URL.parse(target)?.hostname ?? "");
  const [path = "", anchor] = target.split("#");
  const to = path === "" ? file : normalize(join(dirname(file), path));
  if (!existsSync(join(ROOT, to))) return false;
  return anchor === undefined || ANCHORS.get(to)?.has(anchor) === true;
}
