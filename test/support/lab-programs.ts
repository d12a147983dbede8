import { existsSync, globSync } from "node:fs";
import { join } from "node:path";
import { labDir } from "../lab/lab-dir.ts";

/**
 * The path of a program that the lab builds from Go: from the environment variable of its name in capitals, else the
 * newest in the lab's cache; undefined where there is none.
 */
export function labProgram(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const given = env[name.toUpperCase()];
  if (given !== undefined) {
    if (!existsSync(given))
      throw new Error(`Cannot run ${name}: ${name.toUpperCase()} names ${given}, which is not there`);
    return given;
  }
  return globSync(join(labDir(env), "go-*", name))
    .sort()
    .at(-1);
}
