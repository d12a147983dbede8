import { protobufFields } from "./protobuf-fields.ts";

/** What a server took only in part; nothing rejected and no message where it took all. */
export interface PartialSuccess {
  readonly rejected: number;
  readonly message: string;
}

/** Decodes an Export…ServiceResponse, which is alike for all signals: 1 is partial_success, in it 1 a count and 2 a text. */
export function decodePartialSuccess(response: Uint8Array): PartialSuccess {
  let rejected = 0;
  let message = "";
  for (const outer of protobufFields(response)) {
    if (outer.number !== 1 || outer.bytes === undefined) continue;
    for (const { number, varint, bytes } of protobufFields(outer.bytes)) {
      if (number === 1 && varint !== undefined) rejected = Number(varint);
      if (number === 2 && bytes !== undefined) message = new TextDecoder().decode(bytes);
    }
  }
  return { rejected, message };
}
