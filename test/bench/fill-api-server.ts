import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { dirname, join } from "node:path";
import type { LabApiServer } from "../lab/api-server.ts";
import {
  type ClusterSize,
  namespaceName,
  nodeName,
  nodeTokens,
  podName,
  podNamespace,
  podPath,
  podTokens,
  realNode,
  realPod,
  realPodStatus,
  realService,
  realSlice,
  serviceName,
  serviceTokens,
  sliceTokens,
} from "./real-objects.ts";

/** etcd takes 128 operations and 1.5 MiB at once. */
const COPIES_AT_ONCE = 90;
const UID = /"uid":"([0-9a-f-]{36})","resourceVersion"/;

/** What the cluster's objects of a kind are copied from, and where they go. */
interface Kind {
  readonly tokens: (i: number) => readonly string[];
  readonly key: (i: number) => string;
  readonly make: () => Promise<string>;
}

/**
 * Fills an API server with a simulated cluster. The first object of each kind is made through the API, so that it has
 * the defaults and the managedFields that the server adds; the others are copies in etcd under their own names, since
 * an API server makes only a few hundred a second. All are served by the API server.
 */
export class ApiFiller implements Disposable {
  readonly #server: LabApiServer;
  readonly #etcd: string;
  readonly #agent: Agent;
  readonly #originals = new Map<Kind, string>();
  #has: ClusterSize = { pods: 0, services: 0, nodes: 0 };

  constructor(server: LabApiServer, etcdPort: number) {
    this.#server = server;
    this.#etcd = `http://127.0.0.1:${etcdPort}/v3/kv/txn`;
    const ca = readFileSync(join(dirname(server.kubeconfig("admin")), "server.crt"));
    this.#agent = new Agent({ ca, keepAlive: true });
  }

  /** Adds what is missing up to a size. */
  async grow(to: ClusterSize): Promise<void> {
    await this.#copy(this.#namespaces, this.#has.services, Math.min(200, to.services));
    await this.#copy(this.#nodes, this.#has.nodes, to.nodes);
    await this.#copy(this.#pods, this.#has.pods, to.pods);
    await this.#copy(this.#services, this.#has.services, to.services);
    await this.#copy(this.#slices, this.#has.services, to.services);
    this.#has = to;
  }

  async createPod(i: number): Promise<string> {
    return await this.#send("POST", `${podPath(i)}?fieldManager=kube-controller-manager`, realPod(i));
  }

  /** The kubelet's word on a pod; another turn changes its times. */
  async writeStatus(i: number, turn: number): Promise<string> {
    const path = `${podPath(i)}/${podName(i)}/status?fieldManager=kubelet`;
    return await this.#send("PATCH", path, realPodStatus(i, turn));
  }

  /** Marks a slice as the controller does whenever a pod of it changes. */
  async touchSlice(i: number, turn: number): Promise<void> {
    const annotations = {
      "endpoints.kubernetes.io/last-change-trigger-time": new Date(turn * 1000).toISOString(),
    };
    const path = `${slicePath(i)}/${serviceName(i)}-x7k2p?fieldManager=kube-controller-manager`;
    await this.#send("PATCH", path, { metadata: { annotations } });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  readonly #namespaces: Kind = {
    tokens: (i) => [namespaceName(i)],
    key: (i) => `namespaces/${namespaceName(i)}`,
    make: () => this.#send("POST", "/api/v1/namespaces", { metadata: { name: namespaceName(0) } }),
  };
  readonly #nodes: Kind = {
    tokens: nodeTokens,
    key: (i) => `minions/${nodeName(i)}`,
    make: () => this.#send("POST", "/api/v1/nodes?fieldManager=kubelet", realNode(0)),
  };
  readonly #pods: Kind = {
    tokens: podTokens,
    key: (i) => `pods/${podNamespace(i)}/${podName(i)}`,
    make: async () => {
      await this.createPod(0);
      return await this.writeStatus(0, 0);
    },
  };
  readonly #services: Kind = {
    tokens: serviceTokens,
    key: (i) => `services/specs/${namespaceName(i)}/${serviceName(i)}`,
    make: () => this.#send("POST", `/api/v1/namespaces/${namespaceName(0)}/services`, realService(0)),
  };
  readonly #slices: Kind = {
    tokens: sliceTokens,
    key: (i) => `endpointslices/${namespaceName(i)}/${serviceName(i)}-x7k2p`,
    make: () => this.#send("POST", `${slicePath(0)}?fieldManager=kube-controller-manager`, realSlice(0)),
  };

  async #copy(kind: Kind, from: number, to: number): Promise<void> {
    const text = this.#originals.get(kind) ?? (await kind.make());
    this.#originals.set(kind, text);
    // The API server has given it a uid of its own; the copies' are as if that were the first's.
    const uidToken = kind.tokens(0).find((token) => /^[0-9a-f]{8}-[0-9a-z]{4}-.{22}$/.test(token));
    const own = UID.exec(text)?.[1];
    const original = own === undefined || uidToken === undefined ? text : text.replaceAll(own, uidToken);
    for (let start = Math.max(from, 1); start < to; start += COPIES_AT_ONCE) {
      const success = [];
      for (let i = start; i < Math.min(to, start + COPIES_AT_ONCE); i++) {
        const key = Buffer.from(`/registry/${kind.key(i)}`).toString("base64");
        const copy = withTokens(original, kind.tokens(0), kind.tokens(i));
        success.push({ requestPut: { key, value: Buffer.from(copy).toString("base64") } });
      }
      const answer = await fetch(this.#etcd, { method: "POST", body: JSON.stringify({ success }) });
      if (!answer.ok) throw new Error(`Cannot copy ${kind.key(start)}: ${await answer.text()}`);
      await answer.arrayBuffer();
    }
  }

  #send(method: string, path: string, body?: unknown): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const headers = {
      authorization: "Bearer admin-token",
      "content-type": method === "PATCH" ? "application/strategic-merge-patch+json" : "application/json",
    };
    const asking = request(this.#server.url + path, { method, headers, agent: this.#agent }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part: string) => (text += part));
      answer.on("error", reject).on("end", () => {
        const status = answer.statusCode ?? 0;
        if (status >= 200 && status < 300) resolve(text);
        else reject(new Error(`Cannot ${method} ${path}: ${status} ${text.slice(0, 500)}`));
      });
    });
    asking.on("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
    return promise;
  }
}

function slicePath(i: number): string {
  return `/apis/discovery.k8s.io/v1/namespaces/${namespaceName(i)}/endpointslices`;
}

/** One object's tokens in the place of another's, the longest first where they begin alike. */
function withTokens(text: string, from: readonly string[], to: readonly string[]): string {
  const targets = new Map(from.map((token, at) => [token, to[at] ?? token]));
  const longestFirst = [...targets.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map((token) => token.replaceAll(/[./]/g, "\\$&")).join("|"), "g");
  return text.replaceAll(pattern, (token) => targets.get(token) ?? token);
}
