import { createSocket, type RemoteInfo } from "node:dgram";
import { once } from "node:events";

/** What a name server does with a question. */
export type NameAnswer = "silent" | "failure" | "127.0.0.1";

/** A DNS server on port 53 of a loopback address, for one name; every other does not exist. */
export class NameServer implements AsyncDisposable {
  readonly address: string;
  answer: NameAnswer = "silent";
  /** Questions that came, answered or not. */
  questions = 0;
  readonly #name: string;
  readonly #socket = createSocket("udp4");

  private constructor(address: string, name: string) {
    this.address = address;
    this.#name = name;
    this.#socket.on("message", (question, from) => this.#take(question, from));
  }

  static async listen(address: string, name: string): Promise<NameServer> {
    const server = new NameServer(address, name);
    server.#socket.bind(53, address);
    await once(server.#socket, "listening");
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
  }

  #take(question: Buffer, from: RemoteInfo): void {
    this.questions++;
    if (this.answer === "silent") return;
    this.#socket.send(
      answerOf(question, this.answer === "failure" ? undefined : this.#name),
      from.port,
      from.address,
    );
  }
}

const HEADER_BYTES = 12;
const TYPE_A = 1;
/** Codes of RFC 1035, 4.1.1. */
const SERVER_FAILURE = 2;
const NO_SUCH_NAME = 3;

/** An answer to a question with one name: 127.0.0.1 for that name, a failure without one. */
function answerOf(question: Buffer, known: string | undefined): Buffer {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = question.readUInt8(at); length > 0; length = question.readUInt8(at)) {
    labels.push(question.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  const type = question.readUInt16BE(at + 1);
  const asked = question.subarray(HEADER_BYTES, at + 5);
  const isKnown = labels.join(".") === known;
  const records = isKnown && type === TYPE_A ? 1 : 0;
  const code = known === undefined ? SERVER_FAILURE : isKnown ? 0 : NO_SUCH_NAME;
  const header = Buffer.alloc(HEADER_BYTES);
  question.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8180 | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records, 6);
  // The name again by a pointer, class IN, 60 s, four bytes.
  const record = Buffer.from([0xc0, HEADER_BYTES, 0, TYPE_A, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
  return Buffer.concat([header, asked, ...(records === 1 ? [record] : [])]);
}
