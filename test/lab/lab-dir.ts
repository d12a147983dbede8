import { homedir } from "node:os";
import { join } from "node:path";

/** The directory outside the checkout that keeps what the virtual machines are made of between runs. */
export function labDir(env: NodeJS.ProcessEnv): string {
  const cache =
    env["TCPRETRANS_CACHE"] ?? join(env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "tcpretrans");
  return join(cache, "lab");
}
