import { SetupError } from "../syscall/setup-error.ts";

/** As package.json has it. */
const OLDEST = 24;

/** Throws SetupError for a Node.js that lacks what is used here: it would fail in the middle of something. */
export function requireNode(version: string): void {
  if (Number.parseInt(version, 10) >= OLDEST) return;
  throw new SetupError("old-node", `Cannot run on Node ${version}: ${OLDEST} or newer is needed`, {
    remedy: "Install it, or name one with TCPRETRANS_NODE; in a clone npm ci brings one",
  });
}
