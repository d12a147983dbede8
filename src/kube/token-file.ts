import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";

/**
 * Takes the current user's `tokenFile` where the kubeconfig names one: client-node passes over that key, and would
 * ask without any token.
 */
export async function takeTokenFile(config: KubeConfig, path: string | undefined): Promise<void> {
  const user = config.getCurrentUser();
  if (user === null || user.authProvider) return;
  for (const file of path === undefined ? defaultFiles() : [path]) {
    const tokenFile = await readTokenFile(file, user.name);
    if (tokenFile === undefined) continue;
    // As client-node itself puts it for a service account: read again each minute. It wins over a token beside it.
    const authProvider = { name: "tokenFile", config: { tokenFile } };
    Object.assign(user, { authProvider, token: undefined });
    return;
  }
}

/** Those that client-node has read, which throws where one is away. */
function defaultFiles(): readonly string[] {
  const { KUBECONFIG } = process.env;
  if (KUBECONFIG) return KUBECONFIG.split(delimiter).filter((file) => file !== "");
  return [join(homedir(), ".kube/config")];
}

async function readTokenFile(file: string, userName: string): Promise<string | undefined> {
  const text = textOf(file);
  if (!text.includes("tokenFile")) return undefined;
  const { parse } = await import("yaml");
  const { users } = parse(text) as { readonly users?: unknown };
  if (!Array.isArray(users)) return undefined;
  const entry: { readonly user?: { readonly tokenFile?: unknown } } | undefined = users.find(
    (one: { readonly name?: unknown } | null) => one?.name === userName,
  );
  const tokenFile = entry?.user?.tokenFile;
  return typeof tokenFile === "string" ? resolve(dirname(file), tokenFile) : undefined;
}

/** Empty where there is none: a service account needs no kubeconfig. */
function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
