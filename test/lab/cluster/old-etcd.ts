import { existsSync } from "node:fs";
import { join } from "node:path";
import { openSuite, unpackPackages } from "../debian.ts";

/** Debian's etcd 3.4: an API server on it cannot stream lists. */
const OLD_ETCD = { suite: "bookworm", package: "etcd-server" };

/** Gives the path of that etcd, unpacked under `labDir` once: not installed, so that no service starts. */
export async function oldEtcd(labDir: string): Promise<string> {
  const root = join(labDir, `etcd-${OLD_ETCD.suite}`);
  const program = join(root, "usr/bin/etcd");
  if (!existsSync(program)) {
    const suite = await openSuite(OLD_ETCD.suite, labDir);
    await unpackPackages(suite, [OLD_ETCD.package], { root, dependencies: false });
  }
  return program;
}
