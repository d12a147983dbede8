import {
  type ClientRequest,
  type Agent as HttpAgent,
  type IncomingMessage,
  request as requestHttp,
} from "node:http";
import { request as requestHttps } from "node:https";
import { gunzipSync } from "node:zlib";
import { exportErrorCode } from "../export-error-code.ts";
import { connectionSentence, timeoutSentence } from "./export-problems.ts";
import { keepAliveAgent } from "./http-agent.ts";
import { type HttpAnswer, httpResult } from "./http-answer.ts";
import { keepClient } from "./kept-client.ts";
import { type OtlpSettings, otlpTarget, type Signal } from "./otlp-settings.ts";
import { patience } from "./patience.ts";
import { type Sender, type SendResult, wordsOf } from "./send-result.ts";

/** Longest answer that is read; OTLP's are a few bytes. */
const MAX_ANSWER_BYTES = 64 * 1024;

export interface HttpSenderOptions {
  readonly userAgent: string;
  /** Unix time in ms, for dates in Retry-After. */
  readonly unixMs: () => number;
}

/** Sends a signal's requests by http/protobuf, over one kept connection. */
export function httpSender(signal: Signal, settings: OtlpSettings, options: HttpSenderOptions): Sender {
  const target = otlpTarget(signal, settings);
  const { address, secure } = target;
  const { compression, timeoutMs } = settings;
  const { current, close } = keepClient(settings, {
    close: (agent: HttpAgent) => agent.destroy(),
    make: (material) => keepAliveAgent(secure, material),
  });
  const headers = {
    ...settings.headers,
    "content-type": "application/x-protobuf",
    "user-agent": options.userAgent,
    ...(compression === "gzip" ? { "content-encoding": "gzip" } : {}),
  };
  const send = async (gzipped: Uint8Array, stop: AbortSignal): Promise<SendResult> => {
    const state = current();
    if ("sentence" in state)
      return { kind: "retry", code: "other", afterMs: undefined, sentence: state.sentence };
    const wait = patience(stop, timeoutMs);
    let isConnected = false;
    const request = () => {
      const call = (secure ? requestHttps : requestHttp)(address, {
        method: "POST",
        agent: state.client,
        headers,
        signal: wait.signal,
      });
      call.once("socket", (socket) => {
        isConnected = !socket.connecting;
        socket.once("connect", () => (isConnected = true));
      });
      return call;
    };
    try {
      const answer = await post(request, compression === "gzip" ? gzipped : gunzipSync(gzipped));
      return httpResult(target, answer, options.unixMs());
    } catch (error) {
      const sentence = wait.isOver()
        ? timeoutSentence(target, timeoutMs, isConnected)
        : connectionSentence(target, wordsOf(error));
      const code = wait.isOver() ? "timeout" : exportErrorCode(error);
      return { kind: "retry", code, afterMs: undefined, sentence };
    } finally {
      wait.end();
    }
  };
  return { send, close };
}

/** A kept connection may have been closed at the other end in the moment in which it is used: then once more. */
async function post(request: () => ClientRequest, body: Uint8Array): Promise<HttpAnswer> {
  const first = request();
  try {
    return await answerOf(first, body);
  } catch (error) {
    if (!first.reusedSocket || wasAborted(error)) throw error;
    return await answerOf(request(), body);
  }
}

function wasAborted(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

function answerOf(request: ClientRequest, body: Uint8Array): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    request.on("error", reject);
    request.on("response", (response) => {
      readAll(response).then((read) => {
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers["content-type"] ?? "",
          retryAfter: response.headers["retry-after"],
          body: read,
        });
      }, reject);
    });
    request.end(body);
  });
}

async function readAll(response: IncomingMessage): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response) {
    parts.push(part);
    length += part.length;
    if (length > MAX_ANSWER_BYTES) break;
  }
  return Buffer.concat(parts);
}
