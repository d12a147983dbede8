import { protobufFields } from "./protobuf-fields.ts";

/** What a google.rpc.Status tells beside its code. */
export interface RpcStatus {
  readonly message: string;
  /** Of a google.rpc.RetryInfo in it: how long to wait, in ms. */
  readonly retryAfterMs: number | undefined;
}

const RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo";

/** Decodes a google.rpc.Status: field 2 is the message, 3 are details, each an Any. */
export function decodeRpcStatus(bytes: Uint8Array): RpcStatus {
  let message = "";
  let retryAfterMs: number | undefined;
  for (const { number, bytes: value } of protobufFields(bytes)) {
    if (value === undefined) continue;
    if (number === 2) message = text(value);
    if (number === 3) retryAfterMs = decodeRetryInfo(value) ?? retryAfterMs;
  }
  return { message, retryAfterMs };
}

/** An Any: field 1 is the type, 2 the message. RetryInfo: field 1 is a Duration. */
function decodeRetryInfo(any: Uint8Array): number | undefined {
  let type = "";
  let value: Uint8Array = new Uint8Array();
  for (const { number, bytes } of protobufFields(any)) {
    if (number === 1 && bytes !== undefined) type = text(bytes);
    if (number === 2 && bytes !== undefined) value = bytes;
  }
  if (type !== RETRY_INFO) return undefined;
  // No delay at all: again at once.
  let delayMs = 0;
  for (const { number, bytes } of protobufFields(value)) {
    if (number === 1 && bytes !== undefined) delayMs = decodeDuration(bytes);
  }
  return delayMs;
}

function decodeDuration(bytes: Uint8Array): number {
  let ms = 0;
  for (const { number, varint = 0n } of protobufFields(bytes)) {
    if (number === 1) ms += Number(varint) * 1000;
    if (number === 2) ms += Number(varint) / 1e6;
  }
  return Math.max(0, ms);
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
