import { createSocket, type RemoteInfo } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import type { KubeApi } from "./kube-api.ts";
import { CLUSTER_DOMAIN, NODE_A } from "./plan.ts";

const PORT = 53;
const HEADER_BYTES = 12;
/** Record types of RFC 1035 and RFC 3596. */
const TYPE_A = 1;
const TYPE_AAAA = 28;
const NO_SUCH_NAME = 3;

/** The cluster's names of Services, by UDP on node-a's address; every other name does not exist. */
export class ServiceNames implements AsyncDisposable {
  readonly #api: KubeApi;
  readonly #socket = createSocket("udp4");

  private constructor(api: KubeApi) {
    this.#api = api;
    this.#socket.on("message", (question, from) => void this.#answer(question, from).catch(() => {}));
  }

  /** It answers when this returns. */
  static async listen(api: KubeApi): Promise<ServiceNames> {
    const names = new ServiceNames(api);
    names.#socket.bind(PORT, NODE_A.address.v4);
    await once(names.#socket, "listening");
    return names;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
  }

  async #answer(question: Buffer, from: RemoteInfo): Promise<void> {
    const { name, type, end } = readQuestion(question);
    const found = await this.#addresses(name);
    const wanted = (found ?? []).filter((address) => isIPv6(address) === (type === TYPE_AAAA));
    const records =
      type === TYPE_A || type === TYPE_AAAA ? wanted.map((address) => record(type, address)) : [];
    const header = Buffer.alloc(HEADER_BYTES);
    question.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8580 | (found === undefined ? NO_SUCH_NAME : 0), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    const answer = Buffer.concat([header, question.subarray(HEADER_BYTES, end), ...records]);
    this.#socket.send(answer, from.port, from.address);
  }

  /** Of a Service; undefined where the name is none's. */
  async #addresses(name: string): Promise<readonly string[] | undefined> {
    const suffix = `.svc.${CLUSTER_DOMAIN}`;
    const [service, namespace, ...more] = name.slice(0, -suffix.length).split(".");
    if (!name.endsWith(suffix) || service === undefined || namespace === undefined || more.length > 0)
      return undefined;
    const path = `/api/v1/namespaces/${namespace}/services/${service}`;
    return this.#api.get(path).then(
      ({ spec }) => spec.clusterIPs,
      () => undefined,
    );
  }
}

function readQuestion(question: Buffer): {
  readonly name: string;
  readonly type: number;
  readonly end: number;
} {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = question.readUInt8(at); length > 0; length = question.readUInt8(at)) {
    labels.push(question.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join(".").toLowerCase(), type: question.readUInt16BE(at + 1), end: at + 5 };
}

/** The question's name by a pointer, class IN, 5 s. */
function record(type: number, address: string): Buffer {
  const bytes = addressBytes(address);
  const fixed = [0xc0, HEADER_BYTES, 0, type, 0, 1, 0, 0, 0, 5, 0, bytes.length];
  return Buffer.from([...fixed, ...bytes]);
}

function addressBytes(address: string): readonly number[] {
  if (!isIPv6(address)) return address.split(".").map(Number);
  const [head = "", tail = ""] = address.split("::");
  const groups = (text: string) => text.split(":").filter((group) => group !== "");
  const zeros = Array<string>(8 - groups(head).length - groups(tail).length).fill("0");
  const all = address.includes("::") ? [...groups(head), ...zeros, ...groups(tail)] : groups(address);
  return all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]);
}
