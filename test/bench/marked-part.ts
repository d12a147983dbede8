import { readFileSync, writeFileSync } from "node:fs";

const END = "<!-- end -->";

/** Puts a text between a program's marks in a document, `<!-- NAME: begin -->` and `<!-- end -->`; the rest stays. */
export function writeMarkedPart(file: string, name: string, text: string): void {
  const begin = `<!-- ${name}: begin -->`;
  const before = readFileSync(file, "utf8");
  const from = before.indexOf(begin);
  const to = before.indexOf(END, from);
  if (from < 0 || to < 0) throw new Error(`Cannot write into ${file}: it has no ${begin} … ${END}`);
  writeFileSync(file, `${before.slice(0, from)}${begin}\n${text}\n${before.slice(to)}`);
}
