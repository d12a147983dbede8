import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../run.ts";

const MODULES = join(import.meta.dirname, "../go");
const STRIP = "-s -w";

/** Programs that one pinned module gives, and how they are linked. */
interface ToolModule {
  /** A directory beside this one's `go/`: its go.mod and go.sum say which version and which bytes. */
  readonly name: string;
  /** File name of the program by its package. */
  readonly programs: Readonly<Record<string, string>>;
  readonly flags: (goMod: string) => readonly string[];
}

const TOOLS: readonly ToolModule[] = [
  {
    name: "kubernetes",
    programs: Object.fromEntries(
      ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl"].map(
        (name) => [`k8s.io/kubernetes/cmd/${name}`, name],
      ),
    ),
    flags: kubernetesFlags,
  },
  {
    name: "etcd",
    programs: { "go.etcd.io/etcd/server/v3": "etcd" },
    flags: () => [`-ldflags=${STRIP}`],
  },
  {
    name: "containerd",
    programs: Object.fromEntries(
      ["containerd", "containerd-shim-runc-v2", "ctr"].map((name) => [
        `github.com/containerd/containerd/v2/cmd/${name}`,
        name,
      ]),
    ),
    flags: () => [`-ldflags=${STRIP}`],
  },
];

/**
 * Gives the directory of the cluster's programs, built under `labDir` once for each set of pinned versions: about 12
 * minutes where nothing is cached. LAB_BIN names one that is there already.
 */
export async function goTools(labDir: string, say: (line: string) => void): Promise<string> {
  const given = process.env["LAB_BIN"];
  if (given !== undefined) return given;
  const hash = createHash("sha256");
  for (const { name } of TOOLS) hash.update(await pins(name));
  const dir = join(labDir, `go-${hash.digest("hex").slice(0, 12)}`);
  await mkdir(dir, { recursive: true });
  for (const module of TOOLS) {
    for (const [path, program] of Object.entries(module.programs)) {
      if (existsSync(join(dir, program))) continue;
      const started = Date.now();
      await build(module, path, join(dir, program));
      say(`built ${program} in ${Math.round((Date.now() - started) / 1000)} s`);
    }
  }
  return dir;
}

/** Builds the pods' own program, static; gives its path. */
export async function trafficProgram(labDir: string): Promise<string> {
  const source = await readFile(join(MODULES, "traffic/main.go"));
  const path = join(labDir, `traffic-${createHash("sha256").update(source).digest("hex").slice(0, 12)}`);
  if (!existsSync(path)) {
    await mkdir(labDir, { recursive: true });
    await goBuild("traffic", ["-trimpath", `-ldflags=${STRIP}`], { package: ".", output: path });
  }
  return path;
}

async function build(module: ToolModule, path: string, output: string): Promise<void> {
  const goMod = await readFile(join(MODULES, module.name, "go.mod"), "utf8");
  await goBuild(module.name, module.flags(goMod), { package: path, output });
}

/** A program appears under its name only when it is whole. */
async function goBuild(
  module: string,
  flags: readonly string[],
  { package: path, output }: { readonly package: string; readonly output: string },
): Promise<void> {
  const unfinished = `${output}.unfinished`;
  await rm(unfinished, { force: true });
  const env = { ...process.env, ...(module === "traffic" ? { CGO_ENABLED: "0" } : {}) };
  await run("go", ["build", "-p", "2", ...flags, "-o", unfinished, path], {
    cwd: join(MODULES, module),
    env,
  });
  await rename(unfinished, output);
}

/** Clients refuse a server whose version they cannot read, so it is linked in. */
function kubernetesFlags(goMod: string): readonly string[] {
  const version = /k8s\.io\/kubernetes v(\d+)\.(\d+)\.(\d+)/.exec(goMod);
  if (version === null) throw new SyntaxError("Cannot build Kubernetes: its go.mod names no version");
  const [, major = "", minor = "", patch = ""] = version;
  const values = {
    gitVersion: `v${major}.${minor}.${patch}`,
    gitMajor: major,
    gitMinor: `${minor}.${patch}`,
    gitTreeState: "clean",
    gitCommit: "unknown",
    buildDate: "1970-01-01T00:00:00Z",
  };
  const links = Object.entries(values).map(
    ([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`,
  );
  return ["-trimpath", `-ldflags=${[STRIP, ...links].join(" ")}`];
}

async function pins(module: string): Promise<string> {
  const dir = join(MODULES, module);
  return (await readFile(join(dir, "go.mod"), "utf8")) + (await readFile(join(dir, "go.sum"), "utf8"));
}
