import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";

export const CHART = join(import.meta.dirname, "../../charts/tcpretrans");

/** The release that tests render. */
export const RELEASE = { name: "lab", namespace: "network" } as const;

/** An object of Kubernetes, as far as tests look at it. */
export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  // biome-ignore lint/suspicious/noExplicitAny: each kind has fields of its own, and tests name them
  readonly [key: string]: any;
}

export interface RenderOptions {
  readonly helm: string;
  readonly kubeVersion?: string;
  readonly apiVersions?: readonly string[];
}

/** What `helm template` makes of values: objects, or what it says against them. */
export function render(
  values: unknown,
  { helm, kubeVersion = "1.36.0", apiVersions = [] }: RenderOptions,
): { readonly objects: readonly Rendered[]; readonly problem: string | undefined } {
  const apis = apiVersions.flatMap((api) => ["--api-versions", api]);
  const place = ["--namespace", RELEASE.namespace, "--kube-version", kubeVersion];
  const args = ["template", RELEASE.name, CHART, ...place, ...apis, "--values", "-"];
  const { status, stdout, stderr } = spawnSync(helm, args, {
    encoding: "utf8",
    input: JSON.stringify(values),
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) return { objects: [], problem: stderr };
  const documents = parseAllDocuments(stdout, { strict: true, uniqueKeys: true });
  const errors = documents.flatMap(({ errors }) => errors.map(({ message }) => message));
  if (errors.length > 0) return { objects: [], problem: errors.join("\n") };
  const objects = documents.map((document) => document.toJS()).filter((object) => object !== null);
  return { objects, problem: undefined };
}

/** The one object of a kind whose name ends so. */
export function find(objects: readonly Rendered[], kind: string, nameEnd = ""): Rendered {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name.endsWith(nameEnd));
  const [object] = found;
  if (object === undefined || found.length > 1)
    throw new Error(`Cannot find one ${kind} *${nameEnd}: there are ${found.length}`);
  return object;
}
