/** Where tracefs is mounted, in the order to try: read-write, whole (root "/"), not below debugfs first. */
export function parseTracefsMounts(mountinfo: string): string[] {
  const paths: string[] = [];
  for (const line of mountinfo.split("\n")) {
    const path = tracefsPath(line.split(" "));
    if (path !== undefined && !paths.includes(path)) paths.push(path);
  }
  // Lockdown "integrity" blocks what lies below debugfs, but not tracefs itself.
  return paths.sort((a, b) => Number(isBelowDebugfs(a)) - Number(isBelowDebugfs(b)));
}

/** Fields of proc_pid_mountinfo(5): id parent dev root path options [tags…] - type source super-options. */
function tracefsPath(fields: readonly string[]): string | undefined {
  const dash = fields.indexOf("-", 6);
  if (dash < 0 || fields[dash + 1] !== "tracefs" || fields[3] !== "/") return undefined;
  const writable = [fields[5], fields[dash + 3]].every((options) => options?.split(",").includes("rw"));
  return writable ? unescapeOctal(fields[4] ?? "") : undefined;
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
