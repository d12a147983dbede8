import { closeSync, openSync, readSync } from "node:fs";

/** A file that is larger is no configuration. */
const MAX_BYTES = 1024 * 1024;

/** Reads a configuration file whole; throws an Error whose message says why it cannot be read. */
export function readConfigText(file: string): string {
  const fd = openSync(file, "r");
  try {
    const bytes = Buffer.alloc(MAX_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length <= MAX_BYTES; length += read) {
      read = readSync(fd, bytes, length, bytes.length - length, null);
    }
    if (length > MAX_BYTES) throw new RangeError(`it has more than ${MAX_BYTES} bytes`);
    return bytes.toString("utf8", 0, length);
  } finally {
    closeSync(fd);
  }
}
