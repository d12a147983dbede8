import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./run.ts";

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** A Debian suite with package lists of its own, so that packages of any release can be had without touching this machine's. */
export interface Suite {
  readonly name: string;
  /** Options that make apt use only this suite, with nothing installed. */
  readonly aptOptions: readonly string[];
  readonly archives: string;
}

/** Installs on this machine the Debian packages whose program is missing. */
export async function installPrograms(packageByProgram: Readonly<Record<string, string>>): Promise<void> {
  const missing: string[] = [];
  for (const [program, name] of Object.entries(packageByProgram)) {
    const found = await run("sh", ["-c", `command -v ${program}`]).catch(() => "");
    if (found === "") missing.push(name);
  }
  if (missing.length === 0) return;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const install = () =>
    run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...missing], { env });
  await install().catch(async () => {
    await run("apt-get", ["update", "-qq"], { env });
    await install();
  });
}

/** Reads the package lists of a suite into `dir`. */
export async function openSuite(name: string, dir: string): Promise<Suite> {
  const state = join(dir, "apt", name);
  const archives = join(state, "archives");
  await mkdir(join(archives, "partial"), { recursive: true });
  await mkdir(join(state, "lists", "partial"), { recursive: true });
  await writeFile(join(state, "status"), "");
  await writeFile(
    join(state, "sources.list"),
    `deb [signed-by=${KEYRING}] ${await aptMirror()} ${name} main\n`,
  );
  const settings = {
    "Dir::Etc::sourcelist": join(state, "sources.list"),
    "Dir::Etc::sourceparts": "/dev/null",
    "Dir::State": state,
    "Dir::State::lists": join(state, "lists"),
    "Dir::State::status": join(state, "status"),
    "Dir::Cache": state,
    "Dir::Cache::archives": archives,
    "APT::Sandbox::User": "root",
    "APT::Architecture": "amd64",
    "Acquire::Languages": "none",
    "Acquire::Retries": "3",
    "Acquire::Check-Valid-Until": "false",
    "Debug::NoLocking": "true",
  };
  const aptOptions = Object.entries(settings).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
  await run("apt-get", [...aptOptions, "update", "-qq"]);
  return { name, aptOptions, archives };
}

/** Names of the suite's packages that match, oldest version first. */
export async function packageNames(suite: Suite, pattern: RegExp): Promise<readonly string[]> {
  const names = await run("apt-cache", [...suite.aptOptions, "pkgnames", "linux-"]);
  const matching = names.split("\n").filter((name) => pattern.test(name));
  return matching.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

/**
 * Unpacks packages into `root` without installing them: their files, none of their scripts.
 * With `dependencies` all that they need comes too, down to the C library.
 */
export async function unpackPackages(
  suite: Suite,
  names: readonly string[],
  { root, dependencies }: { readonly root: string; readonly dependencies: boolean },
): Promise<readonly string[]> {
  const download = dependencies
    ? ["install", "-y", "-qq", "--download-only", "--no-install-recommends"]
    : ["download", "-qq"];
  await run("apt-get", [...suite.aptOptions, ...download, ...names], { cwd: suite.archives });
  await mkdir(root, { recursive: true });
  const archives = (await readdir(suite.archives)).filter((file) => file.endsWith(".deb")).sort();
  for (const file of archives) {
    await run("dpkg", ["-x", join(suite.archives, file), root]);
    await rm(join(suite.archives, file));
  }
  return archives;
}

/** Where this machine has its Debian packages from. */
export async function aptMirror(): Promise<string> {
  const targets = await run("apt-get", ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]);
  return targets.split("\n").find((uri) => /\/debian\/?$/.test(uri)) ?? "http://deb.debian.org/debian";
}
