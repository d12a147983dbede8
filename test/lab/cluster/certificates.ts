import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../run.ts";

/** One certificate: who it is for. */
export interface Identity {
  /** File name and user name in the kubeconfig. */
  readonly name: string;
  /** As openssl takes it: `/O=system:masters/CN=admin`. */
  readonly subject: string;
  /** As openssl takes them: `DNS:localhost`, `IP:127.0.0.1`. */
  readonly altNames: readonly string[];
}

/** Paths of a certificate and its key. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** An authority of our own, and where it writes. */
export class Authority {
  readonly dir: string;
  readonly cert: string;

  private constructor(dir: string) {
    this.dir = dir;
    this.cert = join(dir, "ca.crt");
  }

  static async create(dir: string): Promise<Authority> {
    await mkdir(dir, { recursive: true });
    const authority = new Authority(dir);
    const subject = ["-subj", "/CN=tcpretrans-lab", "-days", "30"];
    const out = ["-keyout", join(dir, "ca.key"), "-out", authority.cert];
    await run("openssl", ["req", "-x509", ...NEW_KEY, ...subject, ...out]);
    return authority;
  }

  async issue({ name, subject, altNames }: Identity): Promise<KeyPair> {
    const { cert, key } = this.pair(name);
    const request = await run("openssl", ["req", ...NEW_KEY, "-subj", subject, "-keyout", key]);
    const extensions = join(this.dir, `${name}.ext`);
    const alt = altNames.length === 0 ? "" : `subjectAltName=${altNames.join(",")}\n`;
    await writeFile(extensions, `${alt}extendedKeyUsage=clientAuth,serverAuth\n`);
    const by = ["-CA", this.cert, "-CAkey", join(this.dir, "ca.key"), "-days", "30"];
    // A random serial number: `-CAcreateserial` shares a file, and certificates are made side by side.
    const serial = [
      "-set_serial",
      `0x${Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString("hex")}`,
    ];
    const args = ["x509", "-req", ...by, ...serial, "-extfile", extensions, "-out", cert];
    await run("openssl", args, { input: request });
    return { cert, key };
  }

  /** A key pair without a certificate, which service account tokens are signed with. */
  async signingKey(name: string): Promise<{ readonly key: string; readonly publicKey: string }> {
    const key = join(this.dir, `${name}.key`);
    const publicKey = join(this.dir, `${name}.pub`);
    await run("openssl", ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key]);
    await run("openssl", ["ec", "-in", key, "-pubout", "-out", publicKey]);
    return { key, publicKey };
  }

  pair(name: string): KeyPair {
    return { cert: join(this.dir, `${name}.crt`), key: join(this.dir, `${name}.key`) };
  }

  /** Writes a kubeconfig of an issued identity beside its certificate, and gives its path. */
  async kubeconfig(name: string, server: string): Promise<string> {
    const { cert, key } = this.pair(name);
    const path = join(this.dir, `${name}.kubeconfig`);
    const config = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "lab", cluster: { server, "certificate-authority": this.cert } }],
      users: [{ name, user: { "client-certificate": cert, "client-key": key } }],
      contexts: [{ name: "lab", context: { cluster: "lab", user: name } }],
      "current-context": "lab",
    };
    await writeFile(path, JSON.stringify(config, undefined, 1));
    return path;
  }
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
