/** Bytes of an `xxd` dump: offset, colon, hex groups, two spaces, text. Lines that begin with `#` are comments. */
export function parseXxd(dump: string): Uint8Array {
  const hex = dump
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map(
      (line) =>
        line
          .slice(line.indexOf(":") + 1)
          .trimStart()
          .split("  ")[0]
          ?.replaceAll(" ", "") ?? "",
    )
    .join("");
  if (hex.length % 2 !== 0 || /[^0-9a-f]/i.test(hex))
    throw new SyntaxError("Cannot parse xxd: not whole hex bytes");
  return Uint8Array.from(Buffer.from(hex, "hex"));
}

/** The same form as `xxd` prints. */
export function formatXxd(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = Buffer.from(bytes.subarray(at, at + 16));
    const groups = row.toString("hex").match(/.{1,4}/g) ?? [];
    const text = row.toString("latin1").replace(/[^\x20-\x7e]/g, ".");
    lines.push(`${at.toString(16).padStart(8, "0")}: ${groups.join(" ").padEnd(39)}  ${text}`);
  }
  return `${lines.join("\n")}\n`;
}
