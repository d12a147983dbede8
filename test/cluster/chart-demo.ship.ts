import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { find, render } from "../chart/render.ts";
import { Daemon } from "../lab/cluster/daemon.ts";

const PORTS = { grpc: 24317, http: 24318, prometheus: 29090 } as const;
const PATIENCE_MS = 30_000;

/** One metric of the agent as OTLP has it. */
const METRIC = {
  resourceMetrics: [
    {
      resource: { attributes: [{ key: "service.name", value: { stringValue: "tcpretrans" } }] },
      scopeMetrics: [
        {
          metrics: [
            {
              name: "tcp.retransmit.segments",
              unit: "{segment}",
              sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: [point()] },
            },
          ],
        },
      ],
    },
  ],
};

function point() {
  const attributes = [{ key: "source.k8s.pod.name", value: { stringValue: "web-0" } }];
  const now = BigInt(Date.now()) * 1_000_000n;
  return {
    attributes,
    startTimeUnixNano: String(now - 1_000_000_000n),
    timeUnixNano: String(now),
    asInt: "23",
  };
}

test("the Collector and the Prometheus of demo.enabled take a metric of the agent under the name of /metrics", async () => {
  const { OTELCOL: otelcol, PROMETHEUS: prometheus, HELM3: helm = "helm3" } = process.env;
  if (otelcol === undefined || prometheus === undefined)
    throw new Error("OTELCOL and PROMETHEUS must name the programs");
  const { objects, problem } = render({ demo: { enabled: true } }, { helm });
  assert.equal(problem, undefined);
  const dir = await mkdtemp(join(tmpdir(), "tcpretrans-demo-"));
  const running: Daemon[] = [];
  try {
    const collector: string = find(objects, "ConfigMap", "demo-collector")["data"]["config.yaml"];
    const here = collector
      .replace("0.0.0.0:4317", `127.0.0.1:${PORTS.grpc}`)
      .replace("0.0.0.0:4318", `127.0.0.1:${PORTS.http}`)
      .replace(/http:\/\/\S+-demo-prometheus\S+:9090/, `http://127.0.0.1:${PORTS.prometheus}`);
    await writeFile(join(dir, "collector.yaml"), here);
    await mkdir(join(dir, "prometheus"));
    for (const [file, text] of Object.entries(find(objects, "ConfigMap", "demo-prometheus")["data"]))
      await writeFile(join(dir, file), String(text).replaceAll("/etc/prometheus/", `${dir}/`));
    const { args } = find(objects, "Deployment", "demo-prometheus")["spec"].template.spec.containers[0];
    const own = args.map((arg: string) =>
      arg.replace("/etc/prometheus/", `${dir}/`).replace("=/prometheus", `=${join(dir, "prometheus")}`),
    );
    const listen = `--web.listen-address=127.0.0.1:${PORTS.prometheus}`;
    running.push(
      Daemon.start("prometheus", [prometheus, ...own, listen], { logFile: join(dir, "prometheus.log") }),
    );
    running.push(
      Daemon.start("collector", [otelcol, `--config=${join(dir, "collector.yaml")}`], {
        logFile: join(dir, "collector.log"),
      }),
    );
    await until(running, async () => (await fetch(`http://127.0.0.1:${PORTS.prometheus}/-/ready`)).ok);
    await until(running, async () => {
      const body = JSON.stringify(METRIC);
      const headers = { "content-type": "application/json" };
      return (await fetch(`http://127.0.0.1:${PORTS.http}/v1/metrics`, { method: "POST", headers, body })).ok;
    });
    const query = encodeURIComponent('tcp_retransmit_segments_total{source_k8s_pod_name="web-0"}');
    await until(running, async () => {
      const answer = await fetch(`http://127.0.0.1:${PORTS.prometheus}/api/v1/query?query=${query}`);
      const { data } = (await answer.json()) as {
        data: { result: readonly { value: readonly [number, string] }[] };
      };
      return data.result[0]?.value[1] === "23";
    });
    const rules = await fetch(`http://127.0.0.1:${PORTS.prometheus}/api/v1/rules`);
    const { data } = (await rules.json()) as { data: { groups: readonly unknown[] } };
    assert.ok(data.groups.length > 0, "the chart's rules are loaded");
  } finally {
    for (const daemon of running) await daemon.stop();
    await rm(dir, { recursive: true, force: true });
  }
});

async function until(running: readonly Daemon[], isSo: () => Promise<boolean>): Promise<void> {
  for (const last = performance.now() + PATIENCE_MS; ; await sleep(100)) {
    if (await isSo().catch(() => false)) return;
    const ended = running.find((daemon) => !daemon.running);
    if (ended === undefined && performance.now() < last) continue;
    const words = await Promise.all(running.map((daemon) => daemon.lastWords(8)));
    throw new Error(
      `Cannot go on${ended === undefined ? "" : `: ${ended.name} has ended`}: ${words.join("\n")}`,
    );
  }
}
