import type { LogRecordProcessor } from "@opentelemetry/sdk-logs";
import type { EncodableRecord } from "./encode-logs.ts";
import type { SignalRoute } from "./signal-route.ts";

/** Hands the SDK's log records to a route. They are sent when the outbox can, so that a flush only closes the batch. */
export function logProcessor(route: SignalRoute<EncodableRecord>): LogRecordProcessor {
  const flush = async () => route.flush();
  return { onEmit: (record) => route.add(record), forceFlush: flush, shutdown: flush };
}
