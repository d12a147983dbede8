import { acceptedResult } from "./accepted-result.ts";
import { answerSentence, strangeSentence } from "./export-problems.ts";
import type { OtlpTarget } from "./otlp-settings.ts";
import { decodePartialSuccess } from "./partial-success.ts";
import { parseRetryAfter } from "./retry-after.ts";
import { decodeRpcStatus } from "./rpc-status.ts";
import type { SendResult } from "./send-result.ts";

/** An answer of an OTLP/HTTP receiver. */
export interface HttpAnswer {
  readonly status: number;
  readonly type: string;
  readonly retryAfter: string | undefined;
  readonly body: Uint8Array;
}

/** OTLP's list of answers after which a client may try again. */
const RETRYABLE = [429, 502, 503, 504];

/** Says what an answer means for the request; `unixMs` is now. */
export function httpResult(target: OtlpTarget, answer: HttpAnswer, unixMs: number): SendResult {
  const { status, type, retryAfter, body } = answer;
  const isPage = type.startsWith("text/html");
  if (status >= 200 && status < 300) {
    if (!isPage) return acceptedResult(target, decodePartialSuccess(body));
    // Some other server, as of an ingress without a rule: the records stay until it is put right.
    return {
      kind: "retry",
      code: `${status}`,
      afterMs: undefined,
      sentence: strangeSentence(target, `${status} with a web page`),
    };
  }
  const said = type.includes("protobuf") ? decodeRpcStatus(body).message : new TextDecoder().decode(body);
  const sentence = answerSentence(target, `${status}`, isPage ? "" : said);
  if (!RETRYABLE.includes(status)) return { kind: "refused", code: `${status}`, sentence };
  return { kind: "retry", code: `${status}`, afterMs: parseRetryAfter(retryAfter, unixMs), sentence };
}
