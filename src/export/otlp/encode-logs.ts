import type { HrTime, SpanContext } from "@opentelemetry/api";
import type { ReadableLogRecord } from "@opentelemetry/sdk-logs";
import { DOUBLE_ATTRIBUTES } from "../attributes.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";

/** Field numbers of opentelemetry-proto 1, in the order in which the SDK's serializer writes them. */
const REQUEST = { resourceLogs: 1 } as const;
const RESOURCE_LOGS = { resource: 1, scopeLogs: 2 } as const;
const RESOURCE = { attributes: 1, droppedAttributes: 2 } as const;
const SCOPE_LOGS = { scope: 1, logRecords: 2 } as const;
const SCOPE = { name: 1, version: 2 } as const;
const RECORD = {
  time: 1,
  severityNumber: 2,
  body: 5,
  attributes: 6,
  droppedAttributes: 7,
  flags: 8,
  traceId: 9,
  spanId: 10,
  observedTime: 11,
  eventName: 12,
} as const;
const KEY_VALUE = { key: 1, value: 2 } as const;
const ANY_VALUE = { text: 1, flag: 2, integer: 3, double: 4, list: 5 } as const;
const LIST = { values: 1 } as const;

type Attributes = ReadableLogRecord["attributes"];

/** What of the SDK's records is encoded. */
export type EncodableRecord = Pick<
  ReadableLogRecord,
  | "hrTime"
  | "hrTimeObserved"
  | "severityNumber"
  | "body"
  | "attributes"
  | "droppedAttributesCount"
  | "eventName"
  | "resource"
  | "instrumentationScope"
> & { readonly spanContext?: SpanContext | undefined };

/**
 * Encodes an ExportLogsServiceRequest as the SDK's serializer does, but for numbers that are doubles by their meaning: the
 * SDK writes whole ones as integers, so that an attribute's type would change from record to record.
 */
export function encodeLogs(records: readonly EncodableRecord[]): Uint8Array {
  const writer = new ProtobufWriter(records.length * 2048);
  for (const [resource, ofResource] of Map.groupBy(records, (record) => record.resource)) {
    const resourceLogs = writer.begin(REQUEST.resourceLogs);
    const start = writer.begin(RESOURCE_LOGS.resource);
    writeAttributes(writer, RESOURCE.attributes, resource.attributes);
    writer.varint(RESOURCE.droppedAttributes, 0);
    writer.end(start);
    for (const [scope, ofScope] of Map.groupBy(ofResource, (record) => record.instrumentationScope)) {
      writeScopeLogs(writer, scope, ofScope);
    }
    writer.end(resourceLogs);
  }
  return writer.written();
}

function writeScopeLogs(
  writer: ProtobufWriter,
  { name, version }: EncodableRecord["instrumentationScope"],
  records: readonly EncodableRecord[],
): void {
  const scopeLogs = writer.begin(RESOURCE_LOGS.scopeLogs);
  const scope = writer.begin(SCOPE_LOGS.scope);
  writer.text(SCOPE.name, name);
  if (version !== undefined) writer.text(SCOPE.version, version);
  writer.end(scope);
  for (const record of records) {
    const start = writer.begin(SCOPE_LOGS.logRecords);
    writeRecord(writer, record);
    writer.end(start);
  }
  writer.end(scopeLogs);
}

function writeRecord(writer: ProtobufWriter, record: EncodableRecord): void {
  const { hrTime, severityNumber, body, spanContext, hrTimeObserved, eventName } = record;
  writer.fixed64(RECORD.time, unixNanos(hrTime));
  if (severityNumber !== undefined) writer.varint(RECORD.severityNumber, severityNumber);
  if (typeof body === "string") {
    const start = writer.begin(RECORD.body);
    writer.text(ANY_VALUE.text, body);
    writer.end(start);
  }
  writeAttributes(writer, RECORD.attributes, record.attributes);
  writer.varint(RECORD.droppedAttributes, record.droppedAttributesCount);
  if (spanContext !== undefined) {
    writer.fixed32(RECORD.flags, spanContext.traceFlags);
    writer.bytes(RECORD.traceId, Buffer.from(spanContext.traceId, "hex"));
    writer.bytes(RECORD.spanId, Buffer.from(spanContext.spanId, "hex"));
  }
  writer.fixed64(RECORD.observedTime, unixNanos(hrTimeObserved));
  if (eventName) writer.text(RECORD.eventName, eventName);
}

function writeAttributes(writer: ProtobufWriter, field: number, attributes: Attributes): void {
  for (const key in attributes) {
    const start = writer.begin(field);
    writer.text(KEY_VALUE.key, key);
    const value = writer.begin(KEY_VALUE.value);
    writeValue(writer, attributes[key], key);
    writer.end(value);
    writer.end(start);
  }
}

function writeValue(writer: ProtobufWriter, value: Attributes[string], key: string): void {
  if (typeof value === "string") writer.text(ANY_VALUE.text, value);
  else if (typeof value === "boolean") writer.varint(ANY_VALUE.flag, value ? 1 : 0);
  else if (typeof value === "number") {
    const isInt64 = Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63;
    if (isInt64 && !DOUBLE_ATTRIBUTES.has(key)) writer.varint(ANY_VALUE.integer, value);
    else writer.double(ANY_VALUE.double, value);
  } else if (Array.isArray(value)) {
    const list = writer.begin(ANY_VALUE.list);
    for (const one of value) {
      const start = writer.begin(LIST.values);
      writeValue(writer, one, key);
      writer.end(start);
    }
    writer.end(list);
  }
}

function unixNanos([seconds, nanos]: HrTime): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanos);
}
