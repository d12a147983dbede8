import { RecordingError } from "../agent/recording-format.ts";
import { KubeconfigError } from "../kube/kubeconfig-error.ts";
import { SetupError } from "../syscall/setup-error.ts";
import { UsageError } from "./usage-error.ts";

/** Every exit code of the command line, once: help and docs print this table. */
export const EXIT_CODES = {
  ok: { code: 0, meaning: "all went well; with --verify, all that can be checked reconciles" },
  bug: { code: 1, meaning: "a fault of tcpretrans itself: please report it" },
  usage: { code: 2, meaning: "the command line or the configuration cannot be used as it is" },
  unexplained: { code: 3, meaning: "--verify found a difference that nothing explains, or was cut short" },
  noCapture: { code: 4, meaning: "this host does not let tcpretrans capture (tcpretrans doctor says why)" },
  badRecording: { code: 5, meaning: "the file is not a recording of tcpretrans, or it is damaged" },
  cannotWrite: { code: 6, meaning: "a file or the output cannot be opened or written (disk full)" },
  noCluster: { code: 7, meaning: "the kubeconfig does not say how to reach an API server" },
  noPort: { code: 8, meaning: "the agent's address and port for health and metrics cannot be opened" },
} as const;

/** The exit code that an error ends the program with. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT_CODES.usage.code;
  if (error instanceof RecordingError) return EXIT_CODES.badRecording.code;
  if (error instanceof KubeconfigError) return EXIT_CODES.noCluster.code;
  if (!(error instanceof SetupError)) return EXIT_CODES.bug.code;
  if (error.code === "port") return EXIT_CODES.noPort.code;
  return error.code === "file" ? EXIT_CODES.cannotWrite.code : EXIT_CODES.noCapture.code;
}

/** The table as lines of help: code, then meaning. */
export function formatExitCodes(): string {
  return Object.values(EXIT_CODES)
    .map(({ code, meaning }) => `  ${code}  ${meaning}`)
    .join("\n");
}
