import { setTimeout as sleep } from "node:timers/promises";
import { SetupError } from "../syscall/setup-error.ts";
import { nodeMark } from "../tracefs/names.ts";
import type { AgentHost } from "./agent.ts";
import type { AgentParts } from "./agent-parts.ts";
import { openSession, type Session } from "./session.ts";

export interface CaptureWanted {
  readonly host: AgentHost;
  /** Told of each refusal after which it is tried again. */
  readonly refused: () => void;
  /** Ends the tries. */
  readonly signal: AbortSignal;
}

/**
 * Installs the probes. Where the machine refuses, a pod stays, says why on its port and in its log, and tries again:
 * what refuses may be mended, and starting anew would mend nothing. Elsewhere the refusal is thrown. Undefined when the
 * end came first.
 */
export async function openCapture(
  parts: AgentParts,
  { host, refused, signal }: CaptureWanted,
): Promise<Session | undefined> {
  for (let tries = 1; !signal.aborted; tries++) {
    try {
      const session = await openAgentSession(parts, host);
      if (parts.refusal !== undefined) parts.log.as("capture").info("Capturing is possible now");
      parts.refusal = undefined;
      return session;
    } catch (error) {
      if (!(error instanceof SetupError) || !isInPod(host)) throw error;
      parts.refusal = error;
      parts.log.as("capture").error(`${error.message}. ${error.remedy}`);
      refused();
      await sleep(captureRetryMs(tries), undefined, { signal }).catch(() => {});
    }
  }
  return undefined;
}

/** From one try to the next: 1 s, then twice as long each time, a minute at most. */
export function captureRetryMs(tries: number): number {
  return Math.min(60_000, 1000 * 2 ** (tries - 1));
}

/** As Kubernetes tells its pods. */
export function isInPod({ env }: Pick<AgentHost, "env">): boolean {
  return Boolean(env["KUBERNETES_SERVICE_HOST"]);
}

async function openAgentSession({ config, log, names }: AgentParts, host: AgentHost): Promise<Session> {
  const nodeName = config.kubernetes.nodeName ?? names?.nodeName ?? host.hostname;
  return await openSession({
    ...{ rung: config.capture.probe, stacks: false, names: "causes", noFfi: host.noFfi },
    bufferSizeKb: config.capture.bufferSizeKb,
    say: (line) => log.as("capture").warn(line),
    tracefsPath: config.host.tracefsPath,
    agent: { node: nodeMark(nodeName), startedMs: Number(process.hrtime.bigint() / 1_000_000n) },
  });
}
