import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "./run.ts";

/** Who may sign in, by static token: the administrator, and one whose permissions a test gives and takes. */
const USERS = { admin: "system:masters", agent: "" } as const;
type User = keyof typeof USERS;

export interface ApiServerOptions {
  /** Directory with `kube-apiserver`, and `etcd` unless `etcd` says another one. */
  readonly bin: string;
  readonly etcd?: string;
  /** Three ports that nothing else uses: etcd's clients, etcd's peers, the API server. */
  readonly ports: readonly [number, number, number];
  /** More arguments of the API server. */
  readonly args?: readonly string[];
}

/** A real etcd and a real API server on 127.0.0.1, without controllers; disposing it leaves nothing. */
export class LabApiServer implements AsyncDisposable {
  readonly url: string;
  readonly #dir: string;
  readonly #options: ApiServerOptions;
  #etcd: ChildProcess | undefined;
  #server: ChildProcess | undefined;
  #ca = "";

  private constructor(dir: string, options: ApiServerOptions) {
    this.#dir = dir;
    this.#options = options;
    this.url = `https://127.0.0.1:${options.ports[2]}`;
  }

  /** Starts both and waits until the API server is ready. */
  static async start(options: ApiServerOptions): Promise<LabApiServer> {
    const lab = new LabApiServer(await mkdtemp(join(tmpdir(), "tcpretrans-api-")), options);
    try {
      await lab.#makeSecrets();
      await lab.#startEtcd();
      await lab.up();
    } catch (error) {
      await lab.stop();
      throw error;
    }
    return lab;
  }

  /** Starts the API server and waits until it answers ready. */
  async up(): Promise<void> {
    const { bin, ports, args = [] } = this.#options;
    const file = (name: string) => join(this.#dir, name);
    this.#server = this.#spawn(join(bin, "kube-apiserver"), [
      `--etcd-servers=http://127.0.0.1:${ports[0]}`,
      `--secure-port=${ports[2]}`,
      "--bind-address=127.0.0.1",
      "--advertise-address=127.0.0.1",
      `--tls-cert-file=${file("server.crt")}`,
      `--tls-private-key-file=${file("server.key")}`,
      `--token-auth-file=${file("tokens.csv")}`,
      "--service-cluster-ip-range=10.96.0.0/16",
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${file("server.key")}`,
      `--service-account-signing-key-file=${file("server.key")}`,
      "--authorization-mode=RBAC",
      "--disable-admission-plugins=ServiceAccount",
      "--endpoint-reconciler-type=none",
      ...args,
    ]);
    await this.#until(async () => (await this.ask("GET", "/readyz")).status === 200, this.#server);
  }

  /** Ends the API server, at once: its connections are cut. */
  async down(): Promise<void> {
    await end(this.#server);
    this.#server = undefined;
  }

  /** Path of a kubeconfig for a user. */
  kubeconfig(user: User): string {
    return join(this.#dir, `${user}.kubeconfig`);
  }

  /** One request as the administrator; a body is sent as JSON. */
  ask(method: string, path: string, body?: unknown): Promise<{ status: number; text: string }> {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
    const headers = { authorization: "Bearer admin-token", "content-type": "application/json" };
    const asking = request(this.url + path, { method, ca: this.#ca, headers, agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part: string) => (text += part));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text })).on("error", reject);
    });
    asking.on("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
    return promise;
  }

  /** Makes an object; throws unless the API server takes it. */
  async create(path: string, object: unknown): Promise<void> {
    const { status, text } = await this.ask("POST", path, object);
    if (status !== 201) throw new Error(`Cannot create at ${path}: ${status} ${text}`);
  }

  /** Forgets what etcd has of the past, as the API server does by itself every five minutes. */
  async compact(): Promise<void> {
    const etcd = `http://127.0.0.1:${this.#options.ports[0]}/v3/kv`;
    const post = async (path: string, body: unknown) =>
      (await fetch(`${etcd}/${path}`, { method: "POST", body: JSON.stringify(body) })).json();
    const { header } = (await post("range", { key: btoa("a") })) as { header: { revision: string } };
    await post("compaction", { revision: header.revision, physical: true });
  }

  /** Ends both and removes what they kept. */
  async stop(): Promise<void> {
    // etcd last: an API server without it takes a minute to end.
    await this.down();
    await end(this.#etcd);
    await rm(this.#dir, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #startEtcd(): Promise<void> {
    const { bin, etcd = join(bin, "etcd"), ports } = this.#options;
    const [clients, peers] = [`http://127.0.0.1:${ports[0]}`, `http://127.0.0.1:${ports[1]}`];
    this.#etcd = this.#spawn(etcd, [
      ...["--data-dir", join(this.#dir, "etcd")],
      ...["--listen-client-urls", clients, "--advertise-client-urls", clients],
      ...["--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers],
      ...["--initial-cluster", `default=${peers}`],
    ]);
    await this.#until(async () => (await fetch(`${clients}/health`)).ok, this.#etcd);
  }

  async #makeSecrets(): Promise<void> {
    const file = (name: string) => join(this.#dir, name);
    await mkdir(file("etcd"), { mode: 0o700 });
    await run("openssl", [
      ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=kube-apiserver"],
      ...[
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        file("server.key"),
        "-out",
        file("server.crt"),
      ],
    ]);
    this.#ca = await readFile(file("server.crt"), "utf8");
    const users = Object.entries(USERS);
    const tokens = users.map(([name, group]) => `${name}-token,${name},${name},"${group}"\n`);
    await writeFile(file("tokens.csv"), tokens.join(""));
    for (const [name] of users) {
      const config = {
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name: "lab", cluster: { server: this.url, "certificate-authority": "server.crt" } }],
        users: [{ name, user: { token: `${name}-token` } }],
        contexts: [{ name: "lab", context: { cluster: "lab", user: name } }],
        "current-context": "lab",
      };
      await writeFile(file(`${name}.kubeconfig`), JSON.stringify(config));
    }
  }

  /** The kernel ends it with this program, however that ends. */
  #spawn(program: string, args: readonly string[]): ChildProcess {
    const log = openSync(join(this.#dir, "log"), "a");
    const child = spawn("setpriv", ["--pdeathsig", "KILL", program, ...args], {
      stdio: ["ignore", log, log],
      env: { ...process.env, ETCD_UNSUPPORTED_ARCH: process.arch },
    });
    closeSync(log);
    return child;
  }

  async #until(isSo: () => Promise<boolean>, child: ChildProcess): Promise<void> {
    for (const last = performance.now() + 60_000; ; await sleep(100)) {
      if (await isSo().catch(() => false)) return;
      if (child.exitCode === null && performance.now() < last) continue;
      const log = await readFile(join(this.#dir, "log"), "utf8");
      throw new Error(`Cannot start ${child.spawnargs[3]}: it says ${log.slice(-2000)}`);
    }
  }
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once("exit", () => resolve());
  child.kill("SIGKILL");
  await promise;
}
