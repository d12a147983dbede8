// Exports everything once over OTLP, as the bundled program does: run by bundle.test.ts.
import type { OtlpSettings } from "../../../src/export/otlp/otlp-settings.ts";

const otlp: OtlpSettings = JSON.parse(process.argv[2] ?? "");
const startMs = performance.now();
const { exportOnce } = await import("./bundled-exports.ts");
console.log(`loaded in ${(performance.now() - startMs).toFixed(0)} ms`);
await exportOnce(otlp);
console.log(`${(process.memoryUsage.rss() / 2 ** 20).toFixed(1)} MiB`);
