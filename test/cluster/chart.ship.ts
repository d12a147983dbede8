import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { parse } from "yaml";
import { CHART, RELEASE, type Rendered, render } from "../chart/render.ts";
import { LabApiServer } from "../lab/api-server.ts";

const PORTS = [22479, 22480, 26543] as const;

/** Kinds that a plain cluster does not know: what is in them is for their own operators to check. */
const FOREIGN_KINDS: readonly (readonly [group: string, kind: string, plural: string, scope: string])[] = [
  ["monitoring.coreos.com", "ServiceMonitor", "servicemonitors", "Namespaced"],
  ["monitoring.coreos.com", "PodMonitor", "podmonitors", "Namespaced"],
  ["monitoring.coreos.com", "PrometheusRule", "prometheusrules", "Namespaced"],
  ["autoscaling.k8s.io", "VerticalPodAutoscaler", "verticalpodautoscalers", "Namespaced"],
  ["security.openshift.io", "SecurityContextConstraints", "securitycontextconstraints", "Cluster"],
];

let lab: LabApiServer;

before(async () => {
  const bin = process.env["LAB_BIN"];
  if (bin === undefined) throw new Error("LAB_BIN must name a directory with kube-apiserver and etcd");
  lab = await LabApiServer.start({ bin, ports: PORTS, args: ["--allow-privileged=true"] });
  await lab.create("/api/v1/namespaces", { metadata: { name: RELEASE.namespace } });
  for (const [group, kind, plural, scope] of FOREIGN_KINDS)
    await lab.create(
      "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
      definition(group, kind, { plural, scope }),
    );
  for (const [group, , plural] of FOREIGN_KINDS) await served(`/apis/${group}/v1/${plural}`);
});

after(async () => await lab?.stop());

for (const file of globSync(join(CHART, "ci/*-values.yaml")).sort()) {
  test(`the API server takes every object of ${basename(file)}, and knows every field`, async () => {
    const { objects, problem } = render(parse(readFileSync(file, "utf8")) ?? {}, {
      helm: process.env["HELM3"] ?? "helm3",
    });
    assert.equal(problem, undefined);
    const problems: string[] = [];
    for (const object of objects) {
      const { status, text } = await lab.ask(
        "POST",
        `${pathOf(object)}?dryRun=All&fieldValidation=Strict`,
        object,
      );
      if (status !== 201)
        problems.push(`${object.kind} ${object.metadata.name}: ${status} ${JSON.parse(text).message}`);
    }
    assert.deepEqual(problems, []);
    assert.ok(objects.length > 0);
  });
}

test("the API server refuses a field that it does not know, so that the tests above can fail", async () => {
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" }, dta: {} };
  const path = `/api/v1/namespaces/${RELEASE.namespace}/configmaps?dryRun=All&fieldValidation=Strict`;
  assert.equal((await lab.ask("POST", path, object)).status, 400);
});

/** Where objects of its kind are made. */
function pathOf({ apiVersion, kind, metadata }: Rendered): string {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const plural = `${kind.toLowerCase().replace(/y$/, "ie").replace(/ss$/, "sse")}s`.replace(/ss$/, "s");
  return metadata.namespace === undefined && isWide(kind)
    ? `${root}/${plural}`
    : `${root}/namespaces/${metadata.namespace ?? RELEASE.namespace}/${plural}`;
}

function isWide(kind: string): boolean {
  return kind.startsWith("Cluster") || ["SecurityContextConstraints", "PriorityClass"].includes(kind);
}

function definition(group: string, kind: string, { plural, scope }: { plural: string; scope: string }) {
  const open = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const version = { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: open } };
  return {
    metadata: {
      name: `${plural}.${group}`,
      // Groups of Kubernetes' own want to be told who has approved of them.
      annotations: { "api-approved.kubernetes.io": "unapproved, for a test" },
    },
    spec: {
      group,
      scope,
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [version],
    },
  };
}

async function served(path: string): Promise<void> {
  for (let tries = 0; (await lab.ask("GET", path)).status !== 200; tries++) {
    if (tries === 200) throw new Error(`Cannot use ${path}: it is not served`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
