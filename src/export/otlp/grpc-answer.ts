import { type ServiceError, status } from "@grpc/grpc-js";
import { exportErrorCode } from "../export-error-code.ts";
import { answerSentence, connectionSentence } from "./export-problems.ts";
import type { OtlpTarget } from "./otlp-settings.ts";
import { decodeRpcStatus } from "./rpc-status.ts";
import type { SendResult } from "./send-result.ts";

/** OTLP's list of codes after which a client may try again; RESOURCE_EXHAUSTED only where the server says when. */
const RETRYABLE: readonly number[] = [
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.ABORTED,
  status.OUT_OF_RANGE,
  status.UNAVAILABLE,
  status.DATA_LOSS,
];

/** What grpc-js says where the connection failed and no server answered; those of INTERNAL are retried too. */
const BROKEN = [
  "No connection established",
  "Received RST_STREAM",
  "Connection dropped",
  "Name resolution failed",
];

/** Says what a failed call means for the request. */
export function grpcResult(
  target: OtlpTarget,
  error: ServiceError,
): Exclude<SendResult, { kind: "accepted" }> {
  const { code, details, metadata } = error;
  const word = exportErrorCode(error);
  const isBroken = BROKEN.some((beginning) => details.startsWith(beginning));
  const trailer = metadata.get("grpc-status-details-bin")[0];
  const afterMs = trailer instanceof Buffer ? decodeRpcStatus(trailer).retryAfterMs : undefined;
  const sentence = isBroken
    ? connectionSentence(target, details)
    : answerSentence(target, status[code] ?? `code ${code}`, details);
  const mayPass =
    isBroken || RETRYABLE.includes(code) || (code === status.RESOURCE_EXHAUSTED && afterMs !== undefined);
  return mayPass
    ? { kind: "retry", code: word, afterMs, sentence }
    : { kind: "refused", code: word, sentence };
}

/** Whether the error is one of grpc-js. */
export function isServiceError(error: Error): error is ServiceError {
  return "code" in error && typeof error.code === "number" && "details" in error && "metadata" in error;
}
