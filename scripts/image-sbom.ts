import { createHash } from "node:crypto";

/** One part of a CycloneDX list, as far as it is read here. */
interface Component {
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
  readonly [key: string]: unknown;
}

/** What `npm sbom` prints. */
export interface NpmSbom {
  readonly metadata: {
    readonly component: Component;
    readonly tools?: readonly unknown[];
    readonly [key: string]: unknown;
  };
  readonly components: readonly Component[];
  readonly [key: string]: unknown;
}

export interface ImageSbomOptions {
  readonly epochSeconds: number;
  readonly nodeVersion: string;
}

/** npm's list with Node in it, and without what is another in each run: time, number, and the directory's name. */
export function imageSbom(sbom: NpmSbom, { epochSeconds, nodeVersion }: ImageSbomOptions): NpmSbom {
  const node: Component = {
    "bom-ref": `node@${nodeVersion}`,
    type: "platform",
    name: "node",
    version: nodeVersion,
    purl: `pkg:generic/node@${nodeVersion}`,
    licenses: [{ license: { id: "MIT" } }],
  };
  const component = { ...sbom.metadata.component, type: "application", name: "tcpretrans" };
  const metadata = {
    ...sbom.metadata,
    timestamp: new Date(epochSeconds * 1000).toISOString(),
    component,
  };
  const whole = { ...sbom, metadata, components: [node, ...sbom.components] };
  return { ...whole, serialNumber: `urn:uuid:${uuidOf({ ...whole, serialNumber: undefined })}` };
}

/** RFC 9562, version 8: of the content. */
function uuidOf(content: unknown): string {
  const hex = createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 32);
  const variant = ((Number.parseInt(hex[16] ?? "0", 16) & 3) | 8).toString(16);
  const text = `${hex.slice(0, 12)}8${hex.slice(13, 16)}${variant}${hex.slice(17)}`;
  return text.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
