import type { IncomingMessage } from "node:http";

/** Of each header so much tells programs apart; what is longer is kept by its beginning. */
const MAX_LENGTH = 100;

/**
 * Who asks, as far as a request tells: the same for each scrape of one program. Behind one address, as of a proxy or a
 * node that masquerades, programs differ by their names and by how long they wait; replicas of one program do not differ.
 */
export function readerOf({ socket, headers }: Pick<IncomingMessage, "socket" | "headers">): string {
  const timeout = headers["x-prometheus-scrape-timeout-seconds"];
  const told = [headers["user-agent"], typeof timeout === "string" ? timeout : undefined];
  return [socket.remoteAddress, ...told].map((text) => (text ?? "").slice(0, MAX_LENGTH)).join(" ");
}
