import type { ProgramRunner } from "../cluster/program-runner.ts";

/** A directory of files as kubelet mounts a Secret: links to a directory that is replaced as a whole. */
export class SecretFiles {
  readonly #node: Pick<ProgramRunner, "exec">;
  readonly #dir: string;
  #version = 0;

  /** The directory is on a node, where programs run by `exec`. */
  constructor(node: Pick<ProgramRunner, "exec">, dir: string) {
    this.#node = node;
    this.#dir = dir;
  }

  path(name: string): string {
    return `${this.#dir}/${name}`;
  }

  /** Puts these contents in place of what is there, all at one moment. */
  async put(files: Readonly<Record<string, string>>): Promise<void> {
    const names = Object.entries(files).flat();
    await this.#node.exec(["sh", "-ec", SWAP, "sh", this.#dir, String(++this.#version), ...names]);
  }
}

/** $1 is the directory, $2 the version; then names and contents. */
const SWAP = `
cd "$(mkdir -p "$1" && echo "$1")"
new=..version-$2
shift 2
mkdir "$new"
while [ $# -gt 0 ]; do
  printf %s "$2" > "$new/$1"
  [ -L "$1" ] || ln -s "..data/$1" "$1"
  shift 2
done
old=$(readlink ..data || true)
ln -s "$new" ..data_tmp
mv -T ..data_tmp ..data
[ -z "$old" ] || rm -r "$old"
`;
