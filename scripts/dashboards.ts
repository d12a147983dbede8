/** Writes charts/tcpretrans/dashboards from scripts/dashboards. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DASHBOARDS } from "./dashboards/all-dashboards.ts";
import { dashboardText } from "./dashboards/grafana-dashboard.ts";

const directory = join(import.meta.dirname, "../charts/tcpretrans/dashboards");

for (const [file, source] of Object.entries(DASHBOARDS)) {
  writeFileSync(join(directory, file), dashboardText(source));
  console.log(`charts/tcpretrans/dashboards/${file}`);
}
