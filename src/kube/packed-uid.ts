const UID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A uid as the API server makes it (RFC 9562, lower case) as four words; undefined for any other text. */
export function uidWords(uid: string): readonly [number, number, number, number] | undefined {
  if (!UID.test(uid)) return undefined;
  return [
    Number.parseInt(uid.slice(0, 8), 16),
    Number.parseInt(uid.slice(9, 13) + uid.slice(14, 18), 16),
    Number.parseInt(uid.slice(19, 23) + uid.slice(24, 28), 16),
    Number.parseInt(uid.slice(28), 16),
  ];
}

/** The uid whose four words lie from `at` on. */
export function formatUid(words: Uint32Array, at: number): string {
  const hex = Array.from(words.subarray(at, at + 4), (word) => word.toString(16).padStart(8, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
