import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../run.ts";
import {
  CLUSTER_MODULES,
  type GoModule,
  MODULES,
  moduleFile,
  OTHER_MODULES,
  TRAFFIC_MODULE,
} from "./go-modules.ts";

type Say = (line: string) => void;

/**
 * Gives the directory of the cluster's programs, built under `labDir` once for each set of pinned versions: about 12
 * minutes where nothing is cached. LAB_BIN names one that is there already.
 */
export async function goTools(labDir: string, say: Say): Promise<string> {
  const given = process.env["LAB_BIN"];
  if (given !== undefined) return given;
  const pins = await Promise.all(CLUSTER_MODULES.map(modulePins));
  const dir = join(labDir, `go-${shortHash(pins)}`);
  for (const module of CLUSTER_MODULES)
    for (const program of Object.values(module.programs)) await builtIn(dir, { module, program, say });
  return dir;
}

/**
 * Gives the path of a program beside the cluster's, built under `labDir` once for the versions that its own module
 * pins: docs/development.md says how long each takes. LAB_BIN may have it too.
 */
export async function goProgram(labDir: string, program: string, say: Say): Promise<string> {
  const given = join(process.env["LAB_BIN"] ?? "", program);
  if (process.env["LAB_BIN"] !== undefined && existsSync(given)) return given;
  const module = OTHER_MODULES.find(({ programs }) => Object.values(programs).includes(program));
  if (module === undefined) throw new Error(`Cannot build ${program}: no module has it`);
  const parts = [await modulePins(module), ...(await sources(module))];
  return builtIn(join(labDir, `go-${module.name}-${shortHash(parts)}`), { module, program, say });
}

/** Builds the pods' own program, static; gives its path. */
export async function trafficProgram(labDir: string): Promise<string> {
  const path = join(labDir, `traffic-${shortHash(await sources(TRAFFIC_MODULE))}`);
  await mkdir(labDir, { recursive: true });
  if (!existsSync(path)) await build(TRAFFIC_MODULE, ".", path);
  return path;
}

/** Gives the path of a program in a directory, where it is built unless it is there. */
async function builtIn(
  dir: string,
  { module, program, say }: { readonly module: GoModule; readonly program: string; readonly say: Say },
): Promise<string> {
  const output = join(dir, program);
  const [path] = Object.entries(module.programs).find(([, name]) => name === program) ?? [];
  if (existsSync(output) || path === undefined) return output;
  await mkdir(dir, { recursive: true });
  const started = Date.now();
  await build(module, path, output);
  say(`built ${program} in ${Math.round((Date.now() - started) / 1000)} s`);
  return output;
}

/** A program appears under its name only when it is whole. */
async function build(module: GoModule, path: string, output: string): Promise<void> {
  const unfinished = `${output}.unfinished`;
  await rm(unfinished, { force: true });
  const flags = module.flags(await moduleFile(module, "go.mod"));
  await run("go", ["build", "-p", "2", ...flags, "-o", unfinished, path], {
    cwd: join(MODULES, module.name),
    env: { ...process.env, ...(module.isStatic ? { CGO_ENABLED: "0" } : {}) },
  });
  await rename(unfinished, output);
}

async function modulePins(module: GoModule): Promise<string> {
  return (await moduleFile(module, "go.mod")) + (await moduleFile(module, "go.sum"));
}

function sources(module: GoModule): Promise<readonly string[]> {
  return Promise.all((module.sources ?? []).map((file) => moduleFile(module, file)));
}

function shortHash(parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex").slice(0, 12);
}
