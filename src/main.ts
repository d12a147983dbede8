import { run } from "./cli/run.ts";
import { VERSION } from "./cli/version.ts";

process.exitCode = await run({
  argv: process.argv.slice(2),
  env: process.env,
  stdout: process.stdout,
  main: import.meta.filename,
  version: VERSION,
});
