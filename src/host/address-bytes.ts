/** Writes an IPv4 address in dotted text as four bytes; false, with the bytes in any state, for any other text. */
export function writeIpv4(text: string, bytes: Uint8Array, at: number): boolean {
  let octet = -1;
  let index = 0;
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : DOT;
    if (code === DOT) {
      if (octet < 0 || index > 3) return false;
      bytes[at + index++] = octet;
      octet = -1;
      continue;
    }
    if (code < ZERO || code > ZERO + 9) return false;
    octet = Math.max(octet, 0) * 10 + code - ZERO;
    if (octet > 255) return false;
  }
  return index === 4;
}

/** Writes an IPv6 address in hexadecimal groups, short or in full, as 16 bytes; false for any other text. */
export function writeIpv6(text: string, bytes: Uint8Array, at: number): boolean {
  const gap = text.indexOf("::");
  const head = gap < 0 ? text : text.slice(0, gap);
  const tail = gap < 0 ? "" : text.slice(gap + 2);
  bytes.fill(0, at, at + 16);
  const first = writeGroups(head, bytes, { at, most: gap < 0 ? 8 : 7 });
  if (first < 0 || (gap < 0 && first !== 8)) return false;
  const last = tail === "" ? 0 : tail.split(":").length;
  if (first + last > (gap < 0 ? 8 : 7)) return false;
  return writeGroups(tail, bytes, { at: at + 16 - last * 2, most: last }) === last;
}

const DOT = 0x2e;
const ZERO = 0x30;

/** Gives how many groups were written, or -1. */
function writeGroups(
  text: string,
  bytes: Uint8Array,
  { at, most }: { readonly at: number; readonly most: number },
): number {
  if (text === "") return 0;
  const groups = text.split(":");
  if (groups.length > most) return -1;
  for (let i = 0; i < groups.length; i++) {
    const group = groups[i] ?? "";
    if (!/^[0-9a-f]{1,4}$/i.test(group)) return -1;
    const value = Number.parseInt(group, 16);
    bytes[at + i * 2] = value >>> 8;
    bytes[at + i * 2 + 1] = value & 255;
  }
  return groups.length;
}
