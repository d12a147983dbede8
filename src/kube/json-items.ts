import { ByteAssembly } from "./byte-assembly.ts";
import { isJsonSpace, JsonExtent } from "./json-extent.ts";

const MAX_MEMBER_BYTES = 64 * 1024;
/** Members whose text is kept. */
const KEPT: readonly string[] = ["kind", "metadata", "items"];

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

export interface ItemScannerOptions {
  /** A larger item is given as undefined. */
  readonly maxBytes: number;
  /** Takes one item as JSON text. */
  readonly item: (text: string | undefined) => void;
}

/** What a list says beside its items. */
export interface ListFrame {
  /** The object has ended, and had an array of items, or none (null). */
  readonly complete: boolean;
  /** `kind` and `metadata` as JSON text, and `items` where it is no array. */
  readonly members: ReadonlyMap<string, string>;
}

type Place =
  | "before"
  | "member"
  | "key"
  | "colon"
  | "value-start"
  | "value"
  | "items"
  | "item"
  | "done"
  | "broken";

/**
 * Finds each element of the member `items` of a JSON object while its bytes come in, so that the whole never exists.
 * Bytes that are no JSON end in a frame that is not complete, or in items that no parser takes; nothing throws.
 */
export class ItemScanner {
  readonly #item: ItemScannerOptions["item"];
  readonly #extent = new JsonExtent();
  readonly #key = new ByteAssembly(MAX_MEMBER_BYTES);
  readonly #memberText = new ByteAssembly(MAX_MEMBER_BYTES);
  readonly #itemText: ByteAssembly;
  readonly #members = new Map<string, string>();
  #name: string | undefined;
  #place: Place = "before";
  #sawItems = false;

  constructor({ maxBytes, item }: ItemScannerOptions) {
    this.#itemText = new ByteAssembly(maxBytes);
    this.#item = item;
  }

  /** Takes the next bytes, and may keep them until their item ends. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && this.#place !== "done" && this.#place !== "broken")
      at = this.#step(chunk, at);
  }

  /** What was found, when the bytes are over. */
  end(): ListFrame {
    const isList = this.#sawItems || this.#members.get("items") === "null";
    return { complete: this.#place === "done" && isList, members: this.#members };
  }

  /** Goes on from one byte; gives where the next step begins. */
  #step(chunk: Uint8Array, at: number): number {
    switch (this.#place) {
      case "key":
        return this.#scan(chunk, at, this.#key);
      case "value":
        return this.#scan(chunk, at, this.#memberText);
      case "item":
        return this.#scan(chunk, at, this.#itemText);
      default:
        return isJsonSpace(chunk[at]) ? at + 1 : this.#mark(chunk[at], at);
    }
  }

  /** A byte between values: what it opens, parts or closes. A value's own first byte is left to its scan. */
  #mark(byte: number | undefined, at: number): number {
    if (this.#place === "before" && byte === OPEN_OBJECT) this.#place = "member";
    else if (this.#place === "member" && byte === COMMA) return at + 1;
    else if (this.#place === "member" && byte === CLOSE_OBJECT) this.#place = "done";
    else if (this.#place === "member" && byte === QUOTE) return this.#begin("key", at);
    else if (this.#place === "colon" && byte === COLON) this.#place = "value-start";
    else if (this.#place === "value-start" && byte === OPEN_ARRAY && this.#name === "items")
      this.#openItems();
    else if (this.#place === "value-start" && isValueStart(byte)) return this.#begin("value", at);
    else if (this.#place === "items" && byte === CLOSE_ARRAY) this.#place = "member";
    else if (this.#place === "items" && byte === COMMA) return at + 1;
    else if (this.#place === "items" && isValueStart(byte)) return this.#begin("item", at);
    else this.#place = "broken";
    return at + 1;
  }

  #openItems(): void {
    this.#sawItems = true;
    this.#place = "items";
  }

  #begin(place: "key" | "value" | "item", at: number): number {
    this.#extent.reset();
    this.#place = place;
    return at;
  }

  #scan(chunk: Uint8Array, at: number, assembly: ByteAssembly): number {
    const end = this.#extent.scan(chunk, at);
    assembly.append(chunk.subarray(at, end));
    if (this.#extent.over) this.#finish(assembly.take());
    return end;
  }

  #finish(text: string | undefined): void {
    if (this.#place === "item") {
      this.#item(text);
      this.#place = "items";
    } else if (this.#place === "key") {
      this.#name = text?.slice(1, -1);
      this.#place = "colon";
    } else {
      if (text !== undefined && KEPT.includes(this.#name ?? "")) this.#members.set(this.#name ?? "", text);
      this.#place = "member";
    }
  }
}

function isValueStart(byte: number | undefined): boolean {
  return byte !== COMMA && byte !== COLON && byte !== CLOSE_ARRAY && byte !== CLOSE_OBJECT;
}
