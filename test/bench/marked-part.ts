import { readFileSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";

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

/** By which command and where a part was measured, without a full stop; `loadBefore` is the load average of a minute. */
export function writtenBy(
  command: string,
  { args, loadBefore }: { readonly args: readonly string[]; readonly loadBefore: number | undefined },
): string {
  const whole = [command, ...(args.length > 0 ? ["--"] : []), ...args].join(" ");
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Linux ${release()}, Node ${process.version}`;
  return `Written by \`${whole}\` on ${new Date().toISOString().slice(0, 10)}: ${machine}; load ${loadBefore?.toFixed(1)} before it`;
}
