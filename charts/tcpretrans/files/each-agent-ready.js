// Asks every agent of the release for /readyz. Exit code 1 where one is not ready or there is none.
import { readFileSync } from "node:fs";
import { isIPv6 } from "node:net";

const tokenFile = process.env.TOKEN_FILE ?? "/var/run/secrets/kubernetes.io/serviceaccount/token";
const token = readFileSync(tokenFile, "utf8").trim();
const { KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT, PODS, SELECTOR, PORT } = process.env;

function inUrl(address) {
  return isIPv6(address) ? `[${address}]` : address;
}


async function ask(url, headers = {}) {
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(10_000) });
  return { ok: answer.ok, text: (await answer.text()).trimEnd() };
}

const query = `${PODS}?labelSelector=${encodeURIComponent(SELECTOR)}`;
const list = await ask(`https://${inUrl(KUBERNETES_SERVICE_HOST)}:${KUBERNETES_SERVICE_PORT}${query}`, {
  authorization: `Bearer ${token}`,
});
if (!list.ok) throw new Error(`Cannot list the agents: ${list.text}`);
const agents = JSON.parse(list.text).items.filter((pod) => !pod.metadata.deletionTimestamp);
let ready = 0;
for (const { metadata, spec, status } of agents) {
  const name = `${metadata.name} on ${spec.nodeName}`;
  try {
    const { ok, text } = await ask(`http://${inUrl(status.podIP)}:${PORT}/readyz`);
    if (ok) ready++;
    console.log(`${name}: ${text.replaceAll("\n", "\n  ")}`);
  } catch (error) {
    console.log(`${name}: no answer: ${error.cause?.message ?? error.message}`);
  }
}
console.log(`${ready} of ${agents.length} agents are ready`);
if (ready === 0 || ready < agents.length) process.exitCode = 1;
