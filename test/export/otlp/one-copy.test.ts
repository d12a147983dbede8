import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { test } from "node:test";

const ROOT = resolve(import.meta.dirname, "../../..");
const SCOPE = "@opentelemetry/";

/** Versions of the one release train, and of the packages that have trains of their own. */
const TRAIN = ["3.1.0", "0.301.0"];
const OWN_TRAIN = ["api", "semantic-conventions"];

interface Copy {
  readonly name: string;
  readonly version: string;
  readonly path: string;
}

test("package-lock.json has one copy of each OpenTelemetry package, all of one release train", () => {
  const lock: { packages: Record<string, { version?: string }> } = JSON.parse(
    readFileSync(join(ROOT, "package-lock.json"), "utf8"),
  );
  const copies = Object.entries(lock.packages)
    .filter(([path]) => path.includes(`node_modules/${SCOPE}`) && !path.endsWith("/node_modules"))
    .map(([path, { version = "" }]) => ({ name: path.slice(path.lastIndexOf(SCOPE)), version, path }));
  assertOneTrain(copies);
});

test("node_modules has one copy of each OpenTelemetry package, all of one release train", () => {
  assertOneTrain([...installed(join(ROOT, "node_modules"))]);
});

test("package.json pins OpenTelemetry's packages and grpc-js to exact versions", () => {
  const { dependencies }: { dependencies: Record<string, string> } = JSON.parse(
    readFileSync(join(ROOT, "package.json"), "utf8"),
  );
  const loose = Object.entries(dependencies).filter(
    ([name, version]) => /^@(opentelemetry|grpc)\//.test(name) && !/^\d+\.\d+\.\d+$/.test(version),
  );
  assert.deepEqual(loose, []);
});

function assertOneTrain(copies: readonly Copy[]): void {
  assert.ok(copies.length > 10, `only ${copies.length} packages were found`);
  const byName = Map.groupBy(copies, ({ name }) => name);
  const several = [...byName.values()].filter((those) => those.length > 1);
  assert.deepEqual(several, [], "copies of one package do not know of each other");
  const ofOthers = copies.filter(
    ({ name, version }) => !OWN_TRAIN.includes(basename(name)) && !TRAIN.includes(version),
  );
  assert.deepEqual(ofOthers, [], `of a release train other than ${TRAIN.join(" and ")}`);
}

function* installed(modules: string): Generator<Copy> {
  for (const entry of existsSync(modules) ? readdirSync(modules) : []) {
    const names = entry.startsWith("@")
      ? readdirSync(join(modules, entry)).map((inner) => `${entry}/${inner}`)
      : [entry];
    for (const name of names) {
      const path = join(modules, name);
      if (name.startsWith(SCOPE)) {
        const { version }: { version: string } = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
        yield { name, version, path };
      }
      yield* installed(join(path, "node_modules"));
    }
  }
}
