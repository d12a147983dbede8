/** One field of a protobuf message: its number, with its number or its bytes; of fixed widths only that they are there. */
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
    } else if (wire === 2) {
      const length = varint();
      if (length === undefined || length < 0n || length > BigInt(message.length - at)) return;
      yield { number, varint: undefined, bytes: message.subarray(at, at + Number(length)) };
      at += Number(length);
    } else if (wire === 1 || wire === 5) {
      yield { number, varint: undefined, bytes: undefined };
      at += wire === 1 ? 8 : 4;
    } else return;
  }
}
