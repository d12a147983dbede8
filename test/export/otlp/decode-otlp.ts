import { protobufFields } from "../../../src/export/otlp/protobuf-fields.ts";

/** A log record or span as a collector sees it, with its resource. */
export interface Received {
  readonly resource: Readonly<Record<string, unknown>>;
  readonly scope: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Log record: event_name; span: name. */
  readonly name: string;
  readonly body: unknown;
  /** Log record: time_unix_nano; span: start and end. */
  readonly times: readonly bigint[];
  readonly traceId: string;
  readonly spanId: string;
  readonly severity: bigint | undefined;
  readonly status: bigint | undefined;
  readonly events: readonly string[];
}

/** Field numbers of a log record and of a span (opentelemetry-proto, logs.proto and trace.proto). */
const LOG = { name: 12, attributes: 6, traceId: 9, spanId: 10, times: [1], body: 5, severity: 2 } as const;
const SPAN = {
  name: 5,
  attributes: 9,
  traceId: 1,
  spanId: 2,
  times: [7, 8],
  events: 11,
  status: 15,
} as const;

/** Decodes an Export…ServiceRequest of logs or traces. */
export function decodeRequest(signal: "logs" | "traces", request: Uint8Array): readonly Received[] {
  return messages(request, 1).flatMap((perResource) => {
    const resource = keyValues(messages(messages(perResource, 1)[0]!, 1));
    return messages(perResource, 2).flatMap((perScope) => {
      const scope = text(messages(messages(perScope, 1)[0]!, 1)[0]);
      return messages(perScope, 2).map((one) => ({
        resource,
        scope,
        ...(signal === "logs" ? logRecord(one) : span(one)),
      }));
    });
  });
}

/** How many data points there are in a request of metrics, and the names of the metrics. */
export function decodeMetrics(request: Uint8Array): {
  names: readonly string[];
  resource: Readonly<Record<string, unknown>>;
} {
  const perResource = messages(request, 1);
  const names = perResource.flatMap((one) =>
    messages(one, 2).flatMap((scope) => messages(scope, 2).map((metric) => text(messages(metric, 1)[0]))),
  );
  return { names, resource: keyValues(messages(messages(perResource[0]!, 1)[0]!, 1)) };
}

function logRecord(message: Uint8Array) {
  return {
    ...common(message, LOG),
    body: anyValue(messages(message, LOG.body)[0]!),
    severity: [...protobufFields(message)].find(({ number }) => number === LOG.severity)?.varint,
    status: undefined,
    events: [],
  };
}

function span(message: Uint8Array) {
  const status = messages(message, SPAN.status)[0]!;
  return {
    ...common(message, SPAN),
    body: undefined,
    severity: undefined,
    status: [...protobufFields(status)].find(({ number }) => number === 3)?.varint,
    events: messages(message, SPAN.events).map((event) => text(messages(event, 2)[0])),
  };
}

function common(message: Uint8Array, numbers: typeof LOG | typeof SPAN) {
  const times: readonly number[] = numbers.times;
  return {
    name: text(messages(message, numbers.name)[0]),
    attributes: keyValues(messages(message, numbers.attributes)),
    traceId: hex(messages(message, numbers.traceId)[0]),
    spanId: hex(messages(message, numbers.spanId)[0]),
    times: [...protobufFields(message)]
      .filter(({ number }) => times.includes(number))
      .map(({ bytes }) => Buffer.from(bytes!).readBigUInt64LE()),
  };
}

function keyValues(pairs: readonly Uint8Array[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    pairs.map((pair) => [text(messages(pair, 1)[0]), anyValue(messages(pair, 2)[0]!)]),
  );
}

function anyValue(message: Uint8Array): unknown {
  const [field] = protobufFields(message);
  switch (field?.number) {
    case 1:
      return text(field.bytes);
    case 2:
      return field.varint === 1n;
    case 3:
      return Number(field.varint);
    case 4:
      return Buffer.from(field.bytes!).readDoubleLE();
    case 5:
      return messages(field.bytes!, 1).map(anyValue);
    default:
      return undefined;
  }
}

function messages(message: Uint8Array, wanted: number): Uint8Array[] {
  return [...protobufFields(message)].filter(({ number }) => number === wanted).map(({ bytes }) => bytes!);
}

function text(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}

function hex(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString("hex");
}
