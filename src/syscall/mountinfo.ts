/** One mount as proc_pid_mountinfo(5) tells it. */
export interface MountLine {
  /** What of the file system it shows: "/" is all of it; an nsfs mount has the namespace's name here. */
  readonly root: string;
  readonly path: string;
  /** Options of this mount, then those of the whole file system. */
  readonly options: readonly string[];
  readonly superOptions: readonly string[];
  /** What mount(2) was given as the source. */
  readonly source: string;
}

/** The mounts of one file system type, in the text's order: later ones lie above earlier ones. */
export function parseMounts(mountinfo: string, type: string): readonly MountLine[] {
  const mounts: MountLine[] = [];
  for (const line of mountinfo.split("\n")) {
    if (!line.includes(` - ${type} `)) continue;
    const mount = parseLine(line.split(" "), type);
    if (mount !== undefined) mounts.push(mount);
  }
  return mounts;
}

/** Fields: id parent dev root path options [tags…] - type source super-options. */
function parseLine(fields: readonly string[], type: string): MountLine | undefined {
  const dash = fields.indexOf("-", 6);
  if (dash < 0 || fields[dash + 1] !== type) return undefined;
  return {
    root: unescapeOctal(fields[3] ?? ""),
    path: unescapeOctal(fields[4] ?? ""),
    options: fields[5]?.split(",") ?? [],
    superOptions: fields[dash + 3]?.split(",") ?? [],
    source: fields[dash + 2] ?? "",
  };
}

/** The kernel writes space, tab, newline and backslash as `\040` and the like (mangle_path, fs/seq_file.c). */
function unescapeOctal(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
