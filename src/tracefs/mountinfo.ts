import { type MountLine, parseMounts } from "../syscall/mountinfo.ts";

/** One mount of tracefs. */
export type TracefsMountLine = Pick<MountLine, "path" | "source">;

/** Where tracefs is mounted, in the order to try: read-write, whole (root "/"), those below debugfs last. */
export function parseTracefsMounts(mountinfo: string): TracefsMountLine[] {
  return (
    parseMounts(mountinfo, "tracefs")
      .filter(({ root, options, superOptions }) => {
        return root === "/" && options.includes("rw") && superOptions.includes("rw");
      })
      .map(({ path, source }) => ({ path, source }))
      // Lockdown "integrity" blocks what lies below debugfs, but not tracefs itself.
      .sort((a, b) => Number(isBelowDebugfs(a.path)) - Number(isBelowDebugfs(b.path)))
  );
}

function isBelowDebugfs(path: string): boolean {
  return path.includes("/debug/");
}
