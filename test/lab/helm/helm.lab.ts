import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { LabApiServer } from "../api-server.ts";
import { goProgram, goTools } from "../cluster/go-tools.ts";
import { labDir } from "../lab-dir.ts";
import { run } from "../run.ts";

const PORTS = [22379, 22380, 26443] as const;
const TEMPLATE = `apiVersion: v1
kind: ConfigMap
metadata: { name: {{ .Release.Name }} }
data: { text: {{ .Values.text | quote }} }
`;

for (const [helm, version] of [
  ["helm3", "v3."],
  ["helm4", "v4."],
] as const) {
  test(`${helm} installs, upgrades and removes a chart on a real API server`, async () => {
    const dir = labDir(process.env);
    const program = await goProgram(dir, helm, console.log);
    await using server = await LabApiServer.start({ bin: await goTools(dir, console.log), ports: PORTS });
    await using undo = new AsyncDisposableStack();
    const home = undo.adopt(await mkdtemp(join(tmpdir(), "tcpretrans-helm-")), (path) =>
      rm(path, { recursive: true }),
    );
    const chart = await writeChart(home);
    const env = { PATH: process.env["PATH"], HOME: home, KUBECONFIG: server.kubeconfig("admin") };
    const ask = (...args: string[]) => run(program, args, { env });
    const text = async () => {
      const answer = await server.ask("GET", "/api/v1/namespaces/default/configmaps/lab");
      return answer.status === 404 ? undefined : JSON.parse(answer.text).data.text;
    };
    assert.ok((await ask("version", "--template={{.Version}}")).startsWith(version));
    await ask("install", "lab", chart, "--set=text=one");
    assert.equal(await text(), "one");
    await ask("upgrade", "lab", chart, "--set=text=two");
    assert.equal(await text(), "two");
    await ask("rollback", "lab", "1");
    assert.equal(await text(), "one");
    await ask("uninstall", "lab");
    assert.equal(await text(), undefined);
  });
}

async function writeChart(home: string): Promise<string> {
  const chart = join(home, "chart");
  await mkdir(join(chart, "templates"), { recursive: true });
  await writeFile(join(chart, "Chart.yaml"), "apiVersion: v2\nname: lab\nversion: 0.1.0\n");
  await writeFile(join(chart, "templates/config-map.yaml"), TEMPLATE);
  return chart;
}
