import { type SpawnOptions, spawn } from "node:child_process";

/** Runs a program to its end and gives its standard output; a failure throws with what it said on standard error. */
export async function run(
  program: string,
  args: readonly string[],
  options: SpawnOptions & { readonly input?: string } = {},
): Promise<string> {
  const { input, ...spawnOptions } = options;
  const child = spawn(program, args, { ...spawnOptions, stdio: ["pipe", "pipe", "pipe"] });
  let out = "";
  let complaint = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  child.stdin?.on("error", () => {}).end(input);
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on("error", reject).on("close", resolve);
  const code = await promise;
  if (code === 0) return out;
  throw new Error(`Cannot run ${program} ${args.join(" ")}: exit code ${code}: ${complaint.trim()}`);
}
