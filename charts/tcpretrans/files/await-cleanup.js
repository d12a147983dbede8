// Waits until the cleaner has run on every node, and no longer than it may.
import { readFileSync } from "node:fs";
import { isIPv6 } from "node:net";

const tokenFile = process.env.TOKEN_FILE ?? "/var/run/secrets/kubernetes.io/serviceaccount/token";
const token = readFileSync(tokenFile, "utf8").trim();
const { KUBERNETES_SERVICE_HOST: server, KUBERNETES_SERVICE_PORT: port, DAEMON_SET, TIMEOUT_SECONDS } = process.env;
const url = `https://${isIPv6(server) ? `[${server}]` : server}:${port}${DAEMON_SET}`;
const deadline = performance.now() + 1000 * Number(TIMEOUT_SECONDS);

/** What is still to be waited for, as a sentence; undefined once all nodes are clean. */
async function missing() {
  try {
    const answer = await fetch(url, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(5_000),
    });
    if (!answer.ok) return `the API server says ${answer.status}`;
    const { metadata, status } = await answer.json();
    if (status.observedGeneration !== metadata.generation) return "no pod has been made yet";
    const { numberReady, desiredNumberScheduled } = status;
    return numberReady < desiredNumberScheduled ? `${numberReady} of ${desiredNumberScheduled} nodes are clean` : undefined;
  } catch (error) {
    return error.cause?.message ?? error.message;
  }
}

for (;;) {
  const left = await missing();
  if (left === undefined) {
    console.log("Every node is clean");
    break;
  }
  if (performance.now() > deadline) {
    // Uninstallation goes on: a node that is away must not hold it up.
    console.log(`Not waited for any longer: ${left}. The next start of tcpretrans on a node cleans it`);
    break;
  }
  await new Promise((resolve) => setTimeout(resolve, 1000));
}
