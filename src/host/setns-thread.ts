import { Worker } from "node:worker_threads";
import { NAMESPACE_SIGNATURES } from "../syscall/libc.ts";
import {
  SETNS_WORKER_SOURCE,
  type SetnsReply,
  type SetnsRequest,
  type SetnsWorkerData,
} from "./setns-worker.ts";

/** The counter files of a namespace, and CLOCK_MONOTONIC just before and after they were read. */
export interface CounterTexts {
  readonly snmp: string;
  readonly netstat: string;
  readonly from: bigint;
  readonly until: bigint;
}

type Refused = Extract<SetnsReply, { kind: "refused" }>;
type Answer = Exclude<SetnsReply, Refused>;

/**
 * A worker thread that goes into other network namespaces by setns(2), and the requests that it has not answered
 * yet. Only where there is a Libc; entering needs CAP_SYS_ADMIN. Dispose of it: the thread costs about 10 MiB.
 */
export class SetnsThread implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  #lastId = 0;
  #end: Error | undefined;

  constructor(procRoot: string) {
    const workerData: SetnsWorkerData = { procRoot, signatures: NAMESPACE_SIGNATURES };
    this.#worker = new Worker(SETNS_WORKER_SOURCE, { eval: true, workerData, env: {} });
    this.#worker.unref();
    this.#worker.on("message", (reply: SetnsReply) => this.#answer(reply));
    this.#worker.on("error", (error: Error) => this.#giveUp(error));
    this.#worker.on("exit", () =>
      this.#giveUp(new Error("Cannot work in a network namespace: the worker thread ended")),
    );
  }

  /** The counters of the namespace mounted at `path`. Throws what the kernel refused. */
  async readCounters(path: string): Promise<CounterTexts> {
    const answer = await this.#ask((id) => ({ kind: "counters", id, path }));
    if (answer.kind !== "counters") throw new TypeError(`Cannot take ${answer.kind} for counters`);
    return answer;
  }

  /** The descriptor of a netlink socket of the namespace at `path`; the caller closes it. Throws what the kernel refused. */
  async openNetlink(path: string, protocol: number): Promise<number> {
    const answer = await this.#ask((id) => ({ kind: "netlink", id, path, protocol }));
    if (answer.kind !== "netlink") throw new TypeError(`Cannot take ${answer.kind} for a netlink socket`);
    return answer.fd;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }

  async #ask(request: (id: number) => SetnsRequest): Promise<Answer> {
    if (this.#end !== undefined) throw this.#end;
    const id = ++this.#lastId;
    const waiting = Promise.withResolvers<Answer>();
    this.#waiting.set(id, waiting);
    this.#worker.ref();
    this.#worker.postMessage(request(id));
    try {
      return await waiting.promise;
    } finally {
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) this.#worker.unref();
    }
  }

  #answer(reply: SetnsReply): void {
    const waiting = this.#waiting.get(reply.id);
    if (reply.kind === "refused")
      waiting?.reject(new Error(`Cannot work in a network namespace: ${reply.reason}`));
    else waiting?.resolve(reply);
  }

  #giveUp(error: Error): void {
    this.#end ??= error;
    for (const waiting of this.#waiting.values()) waiting.reject(error);
  }
}
