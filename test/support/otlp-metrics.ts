/** Reads the bytes of an ExportMetricsServiceRequest by opentelemetry-proto's field numbers, without the SDK's code. */

export type OtlpAttributes = Readonly<Record<string, unknown>>;

export interface OtlpPoint {
  readonly attributes: OtlpAttributes;
  readonly startNanos: bigint;
  readonly timeNanos: bigint;
  /** NumberDataPoint: as_int or as_double. */
  readonly int?: bigint;
  readonly double?: number;
  /** HistogramDataPoint. */
  readonly count?: bigint;
  readonly sum?: number;
  readonly bounds?: readonly number[];
  readonly bucketCounts?: readonly bigint[];
  /** ExponentialHistogramDataPoint. */
  readonly scale?: number;
  readonly zeroCount?: bigint;
  readonly positive?: { readonly offset: number; readonly counts: readonly bigint[] };
}

export interface OtlpMetric {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  readonly kind: "gauge" | "sum" | "histogram" | "exponentialHistogram";
  /** 1 delta, 2 cumulative; undefined of a gauge. */
  readonly temporality: number | undefined;
  readonly isMonotonic: boolean;
  readonly points: readonly OtlpPoint[];
}

export interface OtlpResourceMetrics {
  readonly resource: OtlpAttributes;
  readonly scopes: readonly {
    readonly name: string;
    readonly version: string;
    readonly metrics: readonly OtlpMetric[];
  }[];
}

export function decodeMetrics(bytes: Uint8Array): readonly OtlpResourceMetrics[] {
  return fieldsOf(bytes)
    .messages(1)
    .map((resourceMetrics) => ({
      resource: attributesOf(resourceMetrics.message(1), 1),
      scopes: resourceMetrics.messages(2).map((scopeMetrics) => ({
        name: scopeMetrics.message(1).text(1),
        version: scopeMetrics.message(1).text(2),
        metrics: scopeMetrics.messages(2).map(decodeMetric),
      })),
    }));
}

const KINDS = { 5: "gauge", 7: "sum", 9: "histogram", 10: "exponentialHistogram" } as const;

function decodeMetric(metric: Fields): OtlpMetric {
  const [number] = Object.keys(KINDS).filter((each) => metric.has(Number(each)));
  if (number === undefined) throw new Error("a metric without data");
  const kind = KINDS[Number(number) as keyof typeof KINDS];
  const data = metric.message(Number(number));
  return {
    name: metric.text(1),
    description: metric.text(2),
    unit: metric.text(3),
    kind,
    temporality: kind === "gauge" ? undefined : Number(data.varint(2)),
    isMonotonic: kind === "sum" && data.varint(3) === 1n,
    points: data.messages(1).map(DECODERS[kind]),
  };
}

const DECODERS = {
  gauge: decodeNumber,
  sum: decodeNumber,
  histogram: decodeHistogram,
  exponentialHistogram: decodeExponential,
} as const;

function decodeNumber(point: Fields): OtlpPoint {
  return {
    ...common(point, 7),
    ...(point.has(6) ? { int: BigInt.asIntN(64, point.fixed64(6)) } : {}),
    ...(point.has(4) ? { double: point.double(4) } : {}),
  };
}

function decodeHistogram(point: Fields): OtlpPoint {
  return {
    ...common(point, 9),
    count: point.fixed64(4),
    sum: point.double(5),
    bucketCounts: point.packedFixed64(6),
    bounds: point.packedDoubles(7),
  };
}

function decodeExponential(point: Fields): OtlpPoint {
  const positive = point.message(8);
  return {
    ...common(point, 1),
    count: point.fixed64(4),
    sum: point.double(5),
    scale: zigzag(point.varint(6)),
    zeroCount: point.fixed64(7),
    positive: { offset: zigzag(positive.varint(1)), counts: positive.packedVarints(2) },
  };
}

function common(point: Fields, attributes: number) {
  return {
    attributes: attributesOf(point, attributes),
    startNanos: point.fixed64(2),
    timeNanos: point.fixed64(3),
  };
}

function attributesOf(message: Fields, number: number): OtlpAttributes {
  return Object.fromEntries(
    message.messages(number).map((pair) => [pair.text(1), anyValue(pair.message(2))]),
  );
}

function anyValue(value: Fields): unknown {
  if (value.has(1)) return value.text(1);
  if (value.has(2)) return value.varint(2) === 1n;
  if (value.has(3)) return Number(BigInt.asIntN(64, value.varint(3)));
  if (value.has(4)) return value.double(4);
  if (value.has(5)) return value.message(5).messages(1).map(anyValue);
  return undefined;
}

function zigzag(value: bigint): number {
  return Number((value >> 1n) ^ -(value & 1n));
}

/** The fields of one message, by number. */
class Fields {
  readonly #values = new Map<number, (bigint | Uint8Array)[]>();

  add(number: number, value: bigint | Uint8Array): void {
    this.#values.set(number, [...(this.#values.get(number) ?? []), value]);
  }

  has(number: number): boolean {
    return this.#values.has(number);
  }

  messages(number: number): readonly Fields[] {
    return (this.#values.get(number) ?? []).map((value) => fieldsOf(bytesIn(value)));
  }

  message(number: number): Fields {
    return this.messages(number)[0] ?? new Fields();
  }

  text(number: number): string {
    return new TextDecoder().decode(this.#bytes(number));
  }

  varint(number: number): bigint {
    const value = this.#values.get(number)?.[0] ?? 0n;
    if (typeof value !== "bigint") throw new Error(`field ${number} is no number`);
    return value;
  }

  fixed64(number: number): bigint {
    return this.has(number) ? viewOf(this.#bytes(number)).getBigUint64(0, true) : 0n;
  }

  double(number: number): number {
    return this.has(number) ? viewOf(this.#bytes(number)).getFloat64(0, true) : 0;
  }

  packedFixed64(number: number): readonly bigint[] {
    const bytes = this.#bytes(number);
    return Array.from({ length: bytes.length / 8 }, (_, i) => viewOf(bytes).getBigUint64(8 * i, true));
  }

  packedDoubles(number: number): readonly number[] {
    const bytes = this.#bytes(number);
    return Array.from({ length: bytes.length / 8 }, (_, i) => viewOf(bytes).getFloat64(8 * i, true));
  }

  packedVarints(number: number): readonly bigint[] {
    const cursor = { bytes: this.#bytes(number), at: 0 };
    const values: bigint[] = [];
    while (cursor.at < cursor.bytes.length) values.push(readVarint(cursor));
    return values;
  }

  #bytes(number: number): Uint8Array {
    const value = this.#values.get(number)?.[0];
    return value === undefined ? new Uint8Array() : bytesIn(value);
  }
}

function bytesIn(value: bigint | Uint8Array): Uint8Array {
  if (typeof value === "bigint") throw new Error("a number where bytes should be");
  return value;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function fieldsOf(bytes: Uint8Array): Fields {
  const cursor = { bytes, at: 0 };
  const fields = new Fields();
  while (cursor.at < bytes.length) {
    const tag = Number(readVarint(cursor));
    const [number, wire] = [tag >> 3, tag & 7];
    if (wire === 0) fields.add(number, readVarint(cursor));
    else {
      const length = wire === 1 ? 8 : wire === 2 ? Number(readVarint(cursor)) : undefined;
      if (length === undefined || cursor.at + length > bytes.length)
        throw new Error(`no field at ${cursor.at}`);
      fields.add(number, bytes.subarray(cursor.at, cursor.at + length));
      cursor.at += length;
    }
  }
  return fields;
}

function readVarint(cursor: { readonly bytes: Uint8Array; at: number }): bigint {
  let value = 0n;
  for (let shift = 0n; ; shift += 7n) {
    const byte = cursor.bytes[cursor.at++];
    if (byte === undefined) throw new Error("a number that does not end");
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return value;
  }
}
