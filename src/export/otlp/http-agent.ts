import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { TlsMaterial } from "./tls-files.ts";

/** Keeps connections open between requests; destroy it, or they stay open for as long as the server lets them. */
export function keepAliveAgent(secure: boolean, material: TlsMaterial): HttpAgent {
  return secure ? new HttpsAgent({ keepAlive: true, ...material }) : new HttpAgent({ keepAlive: true });
}
