import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { currentCluster, readKubeconfig } from "../../src/kube/kubeconfig.ts";
import { KubeconfigError } from "../../src/kube/kubeconfig-error.ts";
import { kubeconfigText } from "./scripted-server.ts";

const dir = mkdtempSync(join(tmpdir(), "tcpretrans-kubeconfig-"));
after(() => rmSync(dir, { recursive: true }));
const FILE = join(dir, "config");
const HTTPS = { server: "https://127.0.0.1:1" };
const good = JSON.parse(kubeconfigText({ token: "t" }, HTTPS));

const BROKEN = [
  { name: "no YAML", text: "{", says: /^Cannot read FILE: / },
  {
    name: "an empty file",
    text: "",
    says: /^Cannot read FILE: expected a document, but the input is empty$/,
  },
  { name: "a text", text: "hello", says: /^Cannot use FILE: it has no current context$/ },
  { name: "a cluster without a server", text: kubeconfigText({}, {}), says: /clusters\[0\].cluster/ },
  {
    name: "no current context",
    text: JSON.stringify({ ...good, "current-context": "" }),
    says: /^Cannot use FILE: it has no current context$/,
  },
  {
    name: "a context that is not there",
    text: JSON.stringify({ ...good, "current-context": "y" }),
    says: /^Cannot use FILE: it has no context "y"$/,
  },
  {
    name: "a cluster that is not there",
    text: JSON.stringify({ ...good, clusters: [] }),
    says: /^Cannot use FILE: it has no cluster "c"$/,
  },
  {
    name: "a user that is not there",
    text: JSON.stringify({ ...good, users: [] }),
    says: /^Cannot use FILE: it has no user "u"$/,
  },
  {
    name: "a server that is no address",
    text: kubeconfigText({}, { server: "nowhere" }),
    says: /^Cannot use FILE: "nowhere" is no address of a server$/,
  },
  {
    name: "a server whose address holds a password",
    text: kubeconfigText({}, { server: "https://user:secret@127.0.0.1:1" }),
    says: /^Cannot use FILE: the address of cluster "c" holds a user$/,
  },
  {
    name: "an authority that is not there",
    text: kubeconfigText({}, { ...HTTPS, "certificate-authority": "/no/ca" }),
    says: /^Cannot use the certificates of FILE: ENOENT.*\/no\/ca/,
  },
  {
    name: "an authority that is no certificate",
    text: kubeconfigText({ "client-certificate-data": "eA==", "client-key-data": "eA==" }, HTTPS),
    says: /^Cannot use the certificates of FILE: /,
  },
];

for (const { name, text, says } of BROKEN) {
  test(`readKubeconfig() says in one sentence what is wrong with ${name}`, async () => {
    writeFileSync(FILE, text);
    const error = await readKubeconfig(FILE).then(
      () => assert.fail("It was taken"),
      (error: unknown) => error,
    );
    assert.ok(error instanceof KubeconfigError, String(error));
    assert.match(error.message.replaceAll(FILE, "FILE"), says);
    assert.doesNotMatch(error.message, /\n/);
    assert.notEqual(error.remedy, "");
  });
}

test("readKubeconfig() says that a file is not there", async () => {
  const path = join(dir, "none");
  await assert.rejects(readKubeconfig(path), {
    name: "KubeconfigError",
    message: `Cannot read ${path}: there is no such file`,
  });
});

test("readKubeconfig() says that there is no kubeconfig at all", async () => {
  const { HOME, KUBECONFIG } = process.env;
  process.env["HOME"] = dir;
  delete process.env["KUBECONFIG"];
  try {
    await assert.rejects(readKubeconfig(undefined), {
      name: "KubeconfigError",
      message: /^Cannot find a kubeconfig: /,
    });
  } finally {
    process.env["HOME"] = HOME;
    if (KUBECONFIG !== undefined) process.env["KUBECONFIG"] = KUBECONFIG;
  }
});

test("readKubeconfig() takes http where the file says so", async () => {
  writeFileSync(FILE, kubeconfigText({}, { server: "http://127.0.0.1:8001" }));
  assert.equal(currentCluster(await readKubeconfig(FILE)).server, "http://127.0.0.1:8001");
});
