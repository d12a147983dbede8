import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { createInterface } from "node:readline";
import type { KeyPair } from "./certificates.ts";

/** A Kubernetes object, as far as the lab looks at any. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  // biome-ignore lint/suspicious/noExplicitAny: objects of the API have every shape
  readonly spec?: any;
  // biome-ignore lint/suspicious/noExplicitAny: objects of the API have every shape
  readonly status?: any;
}

/** The lab's own plain access to the API server: what it sees is what the product's client is judged by. */
export class KubeApi {
  readonly #agent: Agent;
  readonly #server: string;

  constructor(server: string, { cert, key, ca }: KeyPair & { readonly ca: string }) {
    this.#server = server;
    this.#agent = new Agent({
      keepAlive: true,
      cert: readFileSync(cert),
      key: readFileSync(key),
      ca: readFileSync(ca),
    });
  }

  async get<T = KubeObject>(path: string): Promise<T> {
    return JSON.parse(await this.#send("GET", path));
  }

  /** What is no object: a log, or what a proxy answers. */
  read(path: string): Promise<string> {
    return this.#send("GET", path);
  }

  async list(path: string): Promise<readonly KubeObject[]> {
    return (await this.get<{ items: readonly KubeObject[] }>(path)).items;
  }

  async create(path: string, object: object): Promise<KubeObject> {
    return JSON.parse(await this.#send("POST", path, JSON.stringify(object)));
  }

  async patch(path: string, change: object): Promise<KubeObject> {
    const type = "application/strategic-merge-patch+json";
    return JSON.parse(await this.#send("PATCH", path, JSON.stringify(change), type));
  }

  async delete(path: string, graceSeconds?: number): Promise<void> {
    const query = graceSeconds === undefined ? "" : `?gracePeriodSeconds=${graceSeconds}`;
    await this.#send("DELETE", path + query);
  }

  /** Whether the server answers and says that it is ready. */
  async ready(): Promise<boolean> {
    return (await this.#send("GET", "/readyz")) === "ok";
  }

  /** Calls back with each watch event of a list, from now on; ends with the signal. Type BOOKMARK is left out. */
  watch(path: string, signal: AbortSignal, onEvent: (type: string, object: KubeObject) => void): void {
    const options = { agent: this.#agent, signal };
    const call = request(`${this.#server}${path}?watch=1`, options, (response) => {
      createInterface({ input: response })
        .on("line", (line) => {
          const { type, object } = JSON.parse(line);
          onEvent(type, object);
        })
        .on("error", () => {});
      response.on("error", () => {});
    });
    call.on("error", () => {}).end();
  }

  close(): void {
    this.#agent.destroy();
  }

  async #send(method: string, path: string, body?: string, type = "application/json"): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const headers = body === undefined ? {} : { "content-type": type };
    const call = request(this.#server + path, { method, agent: this.#agent, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("error", reject).on("end", () => {
        const { statusCode = 0 } = response;
        if (statusCode < 300) resolve(text);
        else reject(new Error(`Cannot ${method} ${path}: ${statusCode}: ${text.slice(0, 500)}`));
      });
    });
    call.on("error", reject).end(body);
    return promise;
  }
}
