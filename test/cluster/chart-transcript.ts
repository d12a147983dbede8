import { writeFile } from "node:fs/promises";
import type { NotesAnswer } from "./chart-notes.ts";
import { readmeQueries } from "./chart-queries.ts";
import type { ChartTelemetry } from "./chart-telemetry.ts";
import type { InstalledChart } from "./installed-chart.ts";

/** Of an output that has no end. */
const LINES = 16;

/** Writes what a user sees from `helm install` to the first queries, as it was said: documents have it from there. */
export async function writeTranscript(
  file: string,
  chart: InstalledChart,
  { answers, telemetry }: { readonly answers: readonly NotesAnswer[]; readonly telemetry: ChartTelemetry },
): Promise<void> {
  const ask = async (command: string) => ({ command, text: (await chart.shell(command)).text });
  const { promtool, prometheus } = telemetry;
  const queries = readmeQueries().map(({ expr }) =>
    ask(`'${promtool}' query instant ${prometheus.url} '${expr.trim()}'`),
  );
  const said = [
    chart.installation,
    ...answers,
    await ask(`kubectl -n ${chart.namespace} get pods -o wide`),
    ...(await Promise.all(queries)),
  ];
  const texts = said.map(({ command, text }) => {
    const lines = text.split("\n");
    const cut = lines.length > LINES && command.includes(" exec ") ? [...lines.slice(0, LINES), "…"] : lines;
    return `$ ${command}\n${cut.join("\n")}\n`;
  });
  await writeFile(file, texts.join(""));
}
