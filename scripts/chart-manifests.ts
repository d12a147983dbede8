import { type Document, isMap, parseAllDocuments, stringify } from "yaml";
import { run } from "../test/lab/run.ts";

/** Where the manifests put the agents. */
const NAMESPACE = "tcpretrans";

/** What Helm says of itself on objects that it does not manage here. */
const OF_HELM = ["helm.sh/chart", "app.kubernetes.io/managed-by"];

const HEAD = "# Made by `npm run chart` from charts/tcpretrans with its default values.\n";

export interface ManifestOptions {
  readonly helm: string;
  readonly chart: string;
  readonly kubeVersion: string;
}

/** The files of manifests/, by their names there: the chart as `kubectl apply -k` takes it. */
export async function renderManifests(options: ManifestOptions): Promise<Readonly<Record<string, string>>> {
  const documents = await renderChart(options);
  const hooks = documents.filter((document) => annotation(document, "helm.sh/hook") !== undefined);
  const agents = documents.filter((document) => !hooks.includes(document));
  const cleaner = hooks.filter(
    (document) =>
      annotation(document, "helm.sh/hook") === "post-delete" &&
      ["ServiceAccount", "DaemonSet"].includes(String(document.get("kind"))),
  );
  return {
    "namespace.yaml": `${HEAD}${stringify(namespaceObject())}`,
    "tcpretrans.yaml": formatDocuments(agents),
    "kustomization.yaml": kustomization(["namespace.yaml", "tcpretrans.yaml"]),
    "cleanup/cleanup.yaml": formatDocuments(cleaner),
    // The namespace goes with the agents.
    "cleanup/namespace.yaml": `${HEAD}${stringify(namespaceObject())}`,
    "cleanup/kustomization.yaml": kustomization(["namespace.yaml", "cleanup.yaml"]),
  };
}

async function renderChart({ helm, chart, kubeVersion }: ManifestOptions): Promise<readonly Document[]> {
  const place = ["--namespace", NAMESPACE, "--kube-version", kubeVersion];
  const text = await run(helm, ["template", "tcpretrans", chart, ...place]);
  return parseAllDocuments(text).filter((document): document is Document.Parsed => isMap(document.contents));
}

function annotation(document: Document, name: string): string | undefined {
  return document.getIn(["metadata", "annotations", name]) as string | undefined;
}

function formatDocuments(documents: readonly Document[]): string {
  const texts = documents.map((document) => {
    document.commentBefore = null;
    for (const path of [["metadata"], ["spec", "template", "metadata"]]) {
      const labels = document.getIn([...path, "labels"]);
      if (isMap(labels)) for (const label of OF_HELM) labels.delete(label);
    }
    const annotations = document.getIn(["metadata", "annotations"]);
    if (isMap(annotations)) {
      for (const { key } of [...annotations.items])
        if (String(key).startsWith("helm.sh/")) annotations.delete(key);
      if (annotations.items.length === 0) document.deleteIn(["metadata", "annotations"]);
    }
    return document.toString({ lineWidth: 0, directives: false }).replace(/^---\n/, "");
  });
  return HEAD + texts.join("---\n");
}

/** Its pods mount directories of the host: other namespaces may refuse them. */
function namespaceObject() {
  const labels = Object.fromEntries(
    ["enforce", "audit", "warn"].map((mode) => [`pod-security.kubernetes.io/${mode}`, "privileged"]),
  );
  return { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE, labels } };
}

function kustomization(resources: readonly string[]): string {
  const object = {
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    namespace: NAMESPACE,
    resources,
  };
  return HEAD + stringify(object);
}
