import { Agent as HttpAgent, validateHeaderValue } from "node:http";
import { Agent as HttpsAgent, type RequestOptions } from "node:https";
import { createSecureContext } from "node:tls";
import type { KubeConfig } from "@kubernetes/client-node";
import type { ApiProblem } from "./api-problem.ts";
import type { Clock } from "./clock.ts";
import { credentialsProblem } from "./errors.ts";
import { currentCluster, readKubeconfig } from "./kubeconfig.ts";

/** A program of the kubeconfig that makes credentials may take this long. */
const PATIENCE_MS = 30_000;
/** What of the options belongs to the connection: with another of these, other connections are needed. */
const TLS_OPTIONS = ["ca", "cert", "key", "pfx", "passphrase", "rejectUnauthorized", "servername"] as const;

/** Headers and connections of a request, as the kubeconfig says at this time. */
export interface RequestGrounds {
  readonly headers: Readonly<Record<string, string>>;
  readonly auth: string | undefined;
  readonly agent: HttpsAgent | HttpAgent;
}

/** The kubeconfig at work: credentials as they are now, and one set of kept connections for as long as those of TLS stay. */
export class ApiCredentials {
  readonly #path: string | undefined;
  readonly #clock: Clock;
  #config: KubeConfig;
  #agent: HttpsAgent | HttpAgent | undefined;
  #tls = "";
  #pending: Promise<RequestGrounds | ApiProblem> | undefined;
  readonly #closed = new AbortController();

  private constructor(config: KubeConfig, path: string | undefined, clock: Clock) {
    this.#config = config;
    this.#path = path;
    this.#clock = clock;
  }

  /** Throws a KubeconfigError when it cannot be used. */
  static async open(path: string | undefined, clock: Clock): Promise<ApiCredentials> {
    return new ApiCredentials(await readKubeconfig(path), path, clock);
  }

  /** Address of the API server, without a slash at the end. */
  get server(): string {
    return currentCluster(this.#config).server;
  }

  /** What the next request needs; callers at the same time share one answer. */
  async grounds(): Promise<RequestGrounds | ApiProblem> {
    this.#pending ??= this.#make().finally(() => (this.#pending = undefined));
    return await this.#pending;
  }

  /** Reads everything anew, as after a 401; what is broken now leaves things as they were. */
  async renew(): Promise<ApiProblem | undefined> {
    try {
      this.#config = await readKubeconfig(this.#path);
      return undefined;
    } catch (error) {
      return credentialsProblem(error);
    }
  }

  /** Ends every connection, and the wait for credentials. */
  close(): void {
    this.#closed.abort();
    this.#agent?.destroy();
  }

  async #make(): Promise<RequestGrounds | ApiProblem> {
    const options: RequestOptions = {};
    const settled = new AbortController();
    try {
      const applied = this.#config.applyToHTTPSOptions(options).then(() => true);
      const over = AbortSignal.any([settled.signal, this.#closed.signal]);
      const late = this.#clock.sleep(PATIENCE_MS, over).then(() => false);
      if (!(await Promise.race([applied, late]))) {
        return credentialsProblem(`the program in the kubeconfig takes longer than ${PATIENCE_MS / 1000} s`);
      }
      return { headers: headersOf(options), auth: options.auth ?? undefined, agent: this.#agentFor(options) };
    } catch (error) {
      return credentialsProblem(error);
    } finally {
      settled.abort();
    }
  }

  /** Throws where the certificates cannot be used: with an agent, each request would throw. */
  #agentFor(options: RequestOptions): HttpsAgent | HttpAgent {
    const { proxyUrl, server } = currentCluster(this.#config);
    // client-node makes agents for proxies; its others ignore new client certificates.
    if (proxyUrl && options.agent instanceof HttpAgent) return options.agent;
    const tls = Object.fromEntries(TLS_OPTIONS.map((name) => [name, options[name]]));
    const print = JSON.stringify(tls);
    if (this.#agent === undefined || print !== this.#tls) {
      if (!server.startsWith("http:")) createSecureContext(tls);
      closeIdle(this.#agent);
      const kept = { keepAlive: true, keepAliveMsecs: 30_000, maxFreeSockets: 2 };
      this.#agent = server.startsWith("http:") ? new HttpAgent(kept) : new HttpsAgent({ ...kept, ...tls });
      this.#tls = print;
    }
    return this.#agent;
  }
}

/** Throws where a value cannot be in a header; the error does not quote it. */
function headersOf({ headers = {} }: RequestOptions): Readonly<Record<string, string>> {
  const sent: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    // A token file may end in a line end, which no header may.
    sent[name] = `${value}`.trim();
    validateHeaderValue(name, sent[name]);
  }
  return sent;
}

/** An agent's watches go on; what waits for a next request would wait with old certificates. */
function closeIdle(agent: HttpsAgent | HttpAgent | undefined): void {
  for (const sockets of Object.values(agent?.freeSockets ?? {})) {
    for (const socket of sockets ?? []) socket.destroy();
  }
}
