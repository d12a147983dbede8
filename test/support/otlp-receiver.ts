import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";

/** One request that came, decompressed. */
export interface ReceivedRequest {
  readonly path: string;
  readonly body: Uint8Array;
}

/** What to answer; `undefined` is 200, and a promise lets the request wait. */
export type Answer = number | undefined | Promise<number | undefined>;

/** A receiver of OTLP over HTTP on loopback that keeps what comes, in order of arrival. */
export interface OtlpReceiver extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
  /** Requests that are being answered now, and the most there ever were. */
  readonly open: { now: number; most: number };
}

export async function startOtlpReceiver(
  answer: (request: number) => Answer = () => undefined,
): Promise<OtlpReceiver> {
  const requests: ReceivedRequest[] = [];
  const open = { now: 0, most: 0 };
  const server = createServer(async (request, response) => {
    open.now++;
    open.most = Math.max(open.most, open.now);
    const number = requests.length;
    requests.push({ path: request.url ?? "", body: await bodyOf(request) });
    const status = (await answer(number)) ?? 200;
    open.now--;
    response.writeHead(status, { "content-type": "application/x-protobuf" }).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    open,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const bytes = await buffer(request);
  return request.headers["content-encoding"] === "gzip" ? gunzipSync(bytes) : bytes;
}
