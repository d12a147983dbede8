import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** A directory for each pinned module: its go.mod and go.sum say which version and which bytes. */
export const MODULES = join(import.meta.dirname, "../go");

const STRIP = "-s -w";
const PLAIN = [`-ldflags=${STRIP}`];

/** Programs that one pinned module gives, and how they are linked. */
export interface GoModule {
  /** A directory of MODULES. */
  readonly name: string;
  /** File name of the program by its package. */
  readonly programs: Readonly<Record<string, string>>;
  readonly flags: (goMod: string) => readonly string[];
  /** Files of the module beside go.mod and go.sum that are built. */
  readonly sources?: readonly string[];
  /** Links no C library, so that it runs in an empty image. */
  readonly isStatic?: true;
}

/** What a node and a control plane run. */
export const CLUSTER_MODULES: readonly GoModule[] = [
  {
    name: "kubernetes",
    programs: Object.fromEntries(
      ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl"].map(
        (name) => [`k8s.io/kubernetes/cmd/${name}`, name],
      ),
    ),
    flags: kubernetesFlags,
  },
  {
    name: "etcd",
    programs: { "go.etcd.io/etcd/server/v3": "etcd" },
    flags: () => [`-ldflags=${STRIP}`],
  },
  {
    name: "containerd",
    programs: Object.fromEntries(
      ["containerd", "containerd-shim-runc-v2", "ctr"].map((name) => [
        `github.com/containerd/containerd/v2/cmd/${name}`,
        name,
      ]),
    ),
    flags: () => [`-ldflags=${STRIP}`],
  },
];

/** What receives telemetry, and what installs charts; each is built when it is first asked for. */
export const OTHER_MODULES: readonly GoModule[] = [
  {
    name: "collector",
    programs: { ".": "otelcol" },
    flags: () => PLAIN,
    sources: ["main.go"],
  },
  {
    name: "prometheus",
    programs: {
      "github.com/prometheus/prometheus/cmd/prometheus": "prometheus",
      "github.com/prometheus/prometheus/cmd/promtool": "promtool",
    },
    // Its service discoveries are half of it, and one needs a module that cannot be had.
    flags: () => [...PLAIN, "-tags=remove_all_sd,netgo"],
  },
  { name: "helm3", programs: { "helm.sh/helm/v3/cmd/helm": "helm3" }, flags: () => PLAIN },
  { name: "helm4", programs: { "helm.sh/helm/v4/cmd/helm": "helm4" }, flags: () => PLAIN },
  {
    name: "helm-docs",
    programs: { "github.com/norwoodj/helm-docs/cmd/helm-docs": "helm-docs" },
    flags: () => PLAIN,
  },
];

/** The pods' own program. */
export const TRAFFIC_MODULE: GoModule = {
  name: "traffic",
  programs: { ".": "traffic" },
  flags: () => ["-trimpath", ...PLAIN],
  sources: ["main.go"],
  isStatic: true,
};

/** Reads a file of a module. */
export function moduleFile({ name }: GoModule, file: string): Promise<string> {
  return readFile(join(MODULES, name, file), "utf8");
}

/** Clients refuse a server whose version they cannot read, so it is linked in. */
function kubernetesFlags(goMod: string): readonly string[] {
  const version = /k8s\.io\/kubernetes v(\d+)\.(\d+)\.(\d+)/.exec(goMod);
  if (version === null) throw new SyntaxError("Cannot build Kubernetes: its go.mod names no version");
  const [, major = "", minor = "", patch = ""] = version;
  const values = {
    gitVersion: `v${major}.${minor}.${patch}`,
    gitMajor: major,
    gitMinor: `${minor}.${patch}`,
    gitTreeState: "clean",
    gitCommit: "unknown",
    buildDate: "1970-01-01T00:00:00Z",
  };
  const links = Object.entries(values).map(
    ([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`,
  );
  return ["-trimpath", `-ldflags=${[STRIP, ...links].join(" ")}`];
}
