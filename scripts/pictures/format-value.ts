/** A value in one of the units that the dashboards use, as Grafana would write it. */
export function formatValue(value: number, unit: string, decimals?: number): string {
  if (unit === "percentunit") return `${fixed(value * 100, decimals ?? percentDecimals(value))} %`;
  if (unit === "s") return formatSeconds(value);
  if (unit === "bytes") return formatBytes(value);
  if (unit.startsWith("suffix:")) return `${formatShort(value, decimals)}${unit.slice("suffix:".length)}`;
  return formatShort(value, decimals);
}

function percentDecimals(share: number): number {
  if (share === 0 || share === 1) return 0;
  return share < 0.1 ? 2 : 1;
}

function formatSeconds(value: number): string {
  if (value === 0) return "0 s";
  if (value < 1e-3) return `${fixed(value * 1e6, 0)} µs`;
  if (value < 1) return `${fixed(value * 1e3, value < 0.01 ? 2 : 0)} ms`;
  return value < 120 ? `${fixed(value, 1)} s` : `${fixed(value / 60, 1)} min`;
}

function formatBytes(value: number): string {
  if (value >= 1 << 20) return `${fixed(value / (1 << 20), 1)} MiB`;
  return value >= 1024 ? `${fixed(value / 1024, 0)} KiB` : `${fixed(value, 0)} B`;
}

function formatShort(value: number, decimals: number | undefined): string {
  if (value >= 1e6) return `${fixed(value / 1e6, 1)} M`;
  if (value >= 1e4) return `${fixed(value / 1e3, 1)} K`;
  return fixed(value, decimals ?? (value >= 100 || Number.isInteger(value) ? 0 : value >= 1 ? 1 : 2));
}

/** `1234.50` → `1,234.5`. */
function fixed(value: number, decimals: number): string {
  return value.toLocaleString("en-GB", { maximumFractionDigits: decimals });
}
