/** An entry of /proc whose name is a PID. */
export interface DirectoryEntry {
  readonly pid: number;
  /** `d_off`: where the entry behind it is. */
  readonly nextPosition: number;
}

/** `struct linux_dirent64` (include/linux/dirent.h): u64 d_ino, s64 d_off, u16 d_reclen, u8 d_type, then the name, ended by 0. */
const OFFSET_AT = 8;
const LENGTH_AT = 16;
const NAME_AT = 19;
const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** Adds the PIDs among what getdents64(2) gave; gives the position behind it. */
export function parseDirectory(bytes: Uint8Array, into: DirectoryEntry[]): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let position = 0;
  for (let at = 0; at < bytes.length; at += view.getUint16(at + LENGTH_AT, LITTLE_ENDIAN)) {
    position = Number(view.getBigInt64(at + OFFSET_AT, LITTLE_ENDIAN));
    const pid = parsePid(bytes, at + NAME_AT);
    if (pid !== undefined) into.push({ pid, nextPosition: position });
  }
  return position;
}

function parsePid(bytes: Uint8Array, at: number): number | undefined {
  let pid = 0;
  for (let i = at; ; i++) {
    const digit = (bytes[i] ?? 0) - 0x30;
    if (digit === -0x30) return i === at ? undefined : pid;
    if (digit < 0 || digit > 9) return undefined;
    pid = pid * 10 + digit;
  }
}
