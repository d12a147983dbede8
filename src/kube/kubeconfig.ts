import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import type { Cluster, KubeConfig, User } from "@kubernetes/client-node";
import { KubeconfigError } from "./kubeconfig-error.ts";
import { takeTokenFile } from "./token-file.ts";

/** What client-node falls back on when it finds nothing at all. */
const NOTHING_FOUND = "http://localhost:8080";
const IN_CLUSTER = "inCluster";

/**
 * Reads how to reach the API server: the file given, else `KUBECONFIG`, else `~/.kube/config`, else the pod's own
 * service account. Throws a KubeconfigError that says what is wrong with it.
 */
export async function readKubeconfig(path: string | undefined): Promise<KubeConfig> {
  // 17 MiB, and needed with a cluster only.
  const { KubeConfig } = await import("./client-node.ts");
  const config = new KubeConfig();
  try {
    if (path === undefined) config.loadFromDefault();
    else config.loadFromFile(path);
    await takeTokenFile(config, path);
  } catch (error) {
    throw unreadable(error, path);
  }
  checkContext(config, path);
  return config;
}

/** The cluster of the current context; `readKubeconfig` has seen that there is one. */
export function currentCluster(config: KubeConfig): Cluster {
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new TypeError("Cannot use the kubeconfig: its current context has no cluster");
  return cluster;
}

function unreadable(error: unknown, path: string | undefined): KubeconfigError {
  const file = path ?? "the kubeconfig";
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") {
    const remedy = "Give a file that exists with --kubeconfig or KUBECONFIG";
    return new KubeconfigError(`Cannot read ${nameOf(error, file)}: there is no such file`, {
      remedy,
      cause: error,
    });
  }
  if (code === "EACCES" || code === "EISDIR") {
    const remedy = "Give a file that this user may read";
    return new KubeconfigError(`Cannot read ${nameOf(error, file)}: ${code}`, { remedy, cause: error });
  }
  // A TypeError: the document is empty or no mapping.
  const said =
    error instanceof Error && !(error instanceof TypeError) ? firstLine(error.message) : "it is no mapping";
  const remedy = "Check it with: kubectl config view";
  return new KubeconfigError(`Cannot read ${file}: ${said}`, { remedy, cause: error });
}

function checkContext(config: KubeConfig, path: string | undefined): void {
  const file = path ?? "the kubeconfig";
  const name = config.getCurrentContext();
  if (!name) {
    throw new KubeconfigError(`Cannot use ${file}: it has no current context`, {
      remedy: "Choose one with: kubectl config use-context NAME",
    });
  }
  const cluster = config.getCurrentCluster();
  const context = config.getContextObject(name);
  if (context === null || cluster === null) {
    const missing = context === null ? `context "${name}"` : `cluster "${context.cluster}"`;
    throw new KubeconfigError(`Cannot use ${file}: it has no ${missing}`, {
      remedy: "Choose another context with: kubectl config use-context NAME",
    });
  }
  const user = config.getCurrentUser();
  if (user === null && context.user) {
    throw new KubeconfigError(`Cannot use ${file}: it has no user "${context.user}"`, {
      remedy: "Choose another context with: kubectl config use-context NAME",
    });
  }
  checkServer(config, cluster, file);
  checkCertificates(cluster, user, file);
}

function checkServer(config: KubeConfig, cluster: Cluster, file: string): void {
  if (cluster.server === NOTHING_FOUND && cluster.name === "cluster" && config.getContexts().length === 1) {
    throw new KubeconfigError(
      "Cannot find a kubeconfig: neither KUBECONFIG nor ~/.kube/config nor a service account",
      {
        remedy: "Give one with --kubeconfig, or run in a pod with automountServiceAccountToken",
      },
    );
  }
  // Every sentence about the API server shows its address.
  if (cluster.server.includes("@")) {
    throw new KubeconfigError(`Cannot use ${file}: the address of cluster "${cluster.name}" holds a user`, {
      remedy: "Write username and password, or better a token, for the user of the context",
    });
  }
  const url = URL.parse(cluster.server);
  if (url === null || !["http:", "https:"].includes(url.protocol) || url.hostname === "undefined") {
    throw new KubeconfigError(`Cannot use ${file}: "${cluster.server}" is no address of a server`, {
      remedy:
        cluster.name === IN_CLUSTER
          ? "set KUBERNETES_SERVICE_HOST and _PORT"
          : "write it as https://host:port",
    });
  }
  // client-node takes a service on port 80 or 8080 for one without TLS: the token would go there in the clear.
  if (cluster.name === IN_CLUSTER)
    Object.assign(cluster, { server: cluster.server.replace(/^http:/, "https:") });
  // What client-node asks for before it lets http be, which has no TLS to skip.
  else if (url.protocol === "http:") Object.assign(cluster, { skipTLSVerify: true });
}

/** Bad certificates would be found out by each connection anew. */
function checkCertificates(cluster: Cluster, user: User | null, file: string): void {
  try {
    const ca = contentOf(cluster.caFile, cluster.caData);
    const cert = contentOf(user?.certFile, user?.certData);
    const key = contentOf(user?.keyFile, user?.keyData);
    createSecureContext({ ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) });
  } catch (error) {
    const said = error instanceof Error ? firstLine(error.message) : String(error);
    throw new KubeconfigError(`Cannot use the certificates of ${file}: ${said}`, {
      remedy: "Check certificate-authority, client-certificate and client-key of the current context",
      cause: error,
    });
  }
}

function contentOf(path: string | undefined | null, base64: string | undefined | null): Buffer | undefined {
  if (path) return readFileSync(path);
  return base64 ? Buffer.from(base64, "base64") : undefined;
}

function nameOf(error: unknown, file: string): string {
  return error instanceof Error && "path" in error && typeof error.path === "string" ? error.path : file;
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? text;
}
