import { run } from "./cli/run.ts";
import { VERSION } from "./cli/version.ts";

process.exitCode = await run({
  argv: process.argv.slice(2),
  env: process.env,
  stdout: process.stdout,
  main: import.meta.filename,
  version: VERSION,
});

// All is cleaned up: what may still run is a program that makes the kubeconfig's credentials, which nobody waits for.
setTimeout(() => process.exit(), 1000).unref();
