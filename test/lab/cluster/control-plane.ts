import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { auditFlags } from "./audit-log.ts";
import { Authority } from "./certificates.ts";
import { Daemon } from "./daemon.ts";
import { KubeApi } from "./kube-api.ts";
import { hostPort, NESTED_NODES, NODE_A, NODE_B, PORTS, SERVICE_RANGE, SIBLING_NODES } from "./plan.ts";
import { PRODUCT_USERS } from "./product-rights.ts";
import { until } from "./until.ts";

const ETCD = `http://127.0.0.1:${PORTS.etcdClient}`;
/** The API server's URL, from both nodes. */
const SERVER = `https://${hostPort(NODE_A.address.v4, PORTS.api)}`;

/** The certificates and kubeconfigs of everyone in the cluster. */
export interface Credentials {
  readonly authority: Authority;
  readonly server: string;
  /** Path of the kubeconfig of a name of USERS. */
  readonly kubeconfigs: Readonly<Record<string, string>>;
}

const NODES = [NODE_A, NODE_B, ...NESTED_NODES, ...SIBLING_NODES];
const USERS = ["admin", ...PRODUCT_USERS, ...NODES.map(({ name }) => name)];

/** Makes an authority and a certificate and kubeconfig for everyone, under `dir`. */
export async function createCredentials(dir: string): Promise<Credentials> {
  const authority = await Authority.create(dir);
  const { v4, v6 } = NODE_A.address;
  const apiNames = ["DNS:localhost", "IP:127.0.0.1", "IP:10.96.0.1", `IP:${v4}`, `IP:${v6}`];
  const nodes = NODES.map(({ name, address }) => ({
    name,
    subject: `/O=system:nodes/CN=system:node:${name}`,
    altNames: [`DNS:${name}`, `IP:${address.v4}`, `IP:${address.v6}`],
  }));
  await Promise.all([
    authority.issue({ name: "apiserver", subject: "/CN=kube-apiserver", altNames: apiNames }),
    authority.issue({ name: "admin", subject: "/O=system:masters/CN=admin", altNames: [] }),
    ...PRODUCT_USERS.map((name) => authority.issue({ name, subject: `/CN=${name}`, altNames: [] })),
    ...nodes.map((identity) => authority.issue(identity)),
    authority.signingKey("service-accounts"),
  ]);
  const configs = USERS.map(async (name) => [name, await authority.kubeconfig(name, SERVER)] as const);
  return { authority, server: SERVER, kubeconfigs: Object.fromEntries(await Promise.all(configs)) };
}

/** A running control plane. */
export interface ControlPlane {
  readonly api: KubeApi;
  readonly daemons: readonly Daemon[];
  /** Ends the API server alone. */
  stopApiServer(): Promise<void>;
  /** Starts it again; it is ready when this returns. */
  startApiServer(): Promise<void>;
  /** Where its audit log is. */
  readonly dir: string;
  stop(): Promise<void>;
}

/** Starts etcd, the API server, the controllers and the scheduler; ready when default's service account is there. */
export async function startControlPlane(
  { authority, server, kubeconfigs }: Credentials,
  { bin, dir }: { readonly bin: string; readonly dir: string },
): Promise<ControlPlane> {
  await mkdir(join(dir, "log"), { recursive: true });
  await using undo = new AsyncDisposableStack();
  const daemons: Daemon[] = [];
  const launch = (name: string, program: string, args: Readonly<Record<string, string>>) => {
    const flags = Object.entries(args).map(([key, value]) => `--${key}=${value}`);
    const logFile = join(dir, "log", `${name}.log`);
    const daemon = Daemon.start(name, [join(bin, program), ...flags], { logFile });
    daemons.push(daemon);
    return daemon;
  };
  const start = (...order: Parameters<typeof launch>) => {
    const daemon = launch(...order);
    // Undone in reverse: an API server without etcd takes a minute to end.
    undo.defer(() => daemon.stop());
  };
  const serviceAccounts = join(authority.dir, "service-accounts");
  const peer = `http://127.0.0.1:${PORTS.etcdPeer}`;
  start("etcd", "etcd", {
    "data-dir": join(dir, "etcd"),
    "listen-client-urls": ETCD,
    "advertise-client-urls": ETCD,
    "listen-peer-urls": peer,
    "initial-advertise-peer-urls": peer,
    "initial-cluster": `default=${peer}`,
    "unsafe-no-fsync": "true",
  });
  const flags = { ...apiServerFlags(authority), ...(await auditFlags(dir)) };
  const launchApiServer = () => launch("apiserver", "kube-apiserver", flags);
  let apiServer = launchApiServer();
  undo.defer(() => apiServer.stop());
  const { cert, key } = authority.pair("admin");
  const api = new KubeApi(server, { cert, key, ca: authority.cert });
  undo.defer(async () => api.close());
  try {
    await until("the API server", () => api.ready());
  } catch (error) {
    throw new Error(`Cannot start the API server: ${await daemons.at(-1)?.lastWords()}`, { cause: error });
  }
  start("controller-manager", "kube-controller-manager", {
    kubeconfig: kubeconfigs["admin"] ?? "",
    "service-account-private-key-file": `${serviceAccounts}.key`,
    "root-ca-file": authority.cert,
    "use-service-account-credentials": "true",
    "leader-elect": "false",
    "allocate-node-cidrs": "false",
    "flex-volume-plugin-dir": join(dir, "volume-plugins"), // else it makes one under /usr/libexec
    "secure-port": "0",
  });
  start("scheduler", "kube-scheduler", {
    kubeconfig: kubeconfigs["admin"] ?? "",
    "leader-elect": "false",
    "secure-port": "0",
  });
  const owned = undo.move();
  return {
    api,
    daemons,
    dir,
    stopApiServer: () => apiServer.stop(),
    startApiServer: async () => {
      apiServer = launchApiServer();
      await until("the API server", () => api.ready());
    },
    stop: () => owned.disposeAsync(),
  };
}

function apiServerFlags(authority: Authority): Readonly<Record<string, string>> {
  const own = authority.pair("apiserver");
  const admin = authority.pair("admin");
  const serviceAccounts = join(authority.dir, "service-accounts");
  return {
    "etcd-servers": ETCD,
    "secure-port": String(PORTS.api),
    "bind-address": "0.0.0.0",
    "advertise-address": NODE_A.address.v4,
    "tls-cert-file": own.cert,
    "tls-private-key-file": own.key,
    "client-ca-file": authority.cert,
    "service-cluster-ip-range": `${SERVICE_RANGE.v4},${SERVICE_RANGE.v6}`,
    "service-account-key-file": `${serviceAccounts}.pub`,
    "service-account-signing-key-file": `${serviceAccounts}.key`,
    "service-account-issuer": "https://kubernetes.default.svc",
    "authorization-mode": "Node,RBAC",
    "allow-privileged": "true",
    "kubelet-client-certificate": admin.cert,
    "kubelet-client-key": admin.key,
    "kubelet-preferred-address-types": "InternalIP",
  };
}
