import { readFileSync } from "node:fs";
import { descendants, processCost } from "./process-cost.ts";

/** CPU seconds that the API server below this process with a port has used, etcd left out. */
export function apiServerCpu(port: number): number {
  const own = descendants(process.pid).find((pid) => {
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
    return command.includes("kube-apiserver") && command.includes(`--secure-port=${port}`);
  });
  if (own === undefined) throw new Error(`Cannot measure: no API server serves on port ${port}`);
  return processCost(own).cpuSeconds;
}
