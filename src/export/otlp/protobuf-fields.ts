/** One field of a protobuf message: its number, and its varint or its bytes. Those of fixed width are bytes too, low ones first. */
export interface ProtobufField {
  readonly number: number;
  readonly varint: bigint | undefined;
  readonly bytes: Uint8Array | undefined;
}

/** Reads the fields of a message, as far as it is one: what makes no sense ends it. */
export function* protobufFields(message: Uint8Array): Generator<ProtobufField> {
  let at = 0;
  const varint = (): bigint | undefined => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined) return undefined;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    return undefined;
  };
  while (at < message.length) {
    const tag = varint();
    if (tag === undefined) return;
    const number = Number(tag >> 3n);
    const wire = Number(tag & 7n);
    if (wire === 0) {
      const value = varint();
      if (value === undefined) return;
      yield { number, varint: value, bytes: undefined };
      continue;
    }
    const length = wire === 2 ? varint() : FIXED[wire];
    if (length === undefined || length < 0n || length > BigInt(message.length - at)) return;
    yield { number, varint: undefined, bytes: message.subarray(at, at + Number(length)) };
    at += Number(length);
  }
}

/** Lengths of the wire types of fixed width. */
const FIXED: Readonly<Record<number, bigint>> = { 1: 8n, 5: 4n };
