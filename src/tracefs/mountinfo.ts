/** One mount of tracefs. */
export interface TracefsMountLine {
  readonly path: string;
  /** What mount(2) was given as the source; tracefs ignores it. */
  readonly source: string;
}

/** Where tracefs is mounted, in the order to try: read-write, whole (root "/"), those below debugfs last. */
export function parseTracefsMounts(mountinfo: string): TracefsMountLine[] {
  const mounts: TracefsMountLine[] = [];
  for (const line of mountinfo.split("\n")) {
    const mount = parseLine(line.split(" "));
    if (mount !== undefined) mounts.push(mount);
  }
  // Lockdown "integrity" blocks what lies below debugfs, but not tracefs itself.
  return mounts.sort((a, b) => Number(isBelowDebugfs(a.path)) - Number(isBelowDebugfs(b.path)));
}

/** Fields of proc_pid_mountinfo(5): id parent dev root path options [tags…] - type source super-options. */
function parseLine(fields: readonly string[]): TracefsMountLine | undefined {
  const dash = fields.indexOf("-", 6);
  if (dash < 0 || fields[dash + 1] !== "tracefs" || fields[3] !== "/") return undefined;
  const writable = [fields[5], fields[dash + 3]].every((options) => options?.split(",").includes("rw"));
  if (!writable) return undefined;
  return { path: unescapeOctal(fields[4] ?? ""), source: fields[dash + 2] ?? "" };
}

/** The kernel writes space, tab, newline and backslash as `\040` and the like (mangle_path, fs/seq_file.c). */
function unescapeOctal(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

function isBelowDebugfs(path: string): boolean {
  return path.includes("/debug/");
}
