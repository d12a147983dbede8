import type { Thresholds } from "../dashboards/panel-source.ts";

export const GREEN = "#2f9e58";
export const YELLOW = "#d99a00";
export const RED = "#d3362f";
const BLUE = "#3b73c8";

const PALETTE = [
  "#3b73c8",
  "#e07b39",
  "#2f9e58",
  "#8b5cc4",
  "#d3362f",
  "#17a2b0",
  "#b8860b",
  "#c2498e",
  "#6b7280",
  "#7aa329",
  "#5b6ee1",
  "#a0522d",
];

/** Causes have the same colour in every picture: standing still is red, repair is blue. */
const BY_NAME: Readonly<Record<string, string>> = {
  timeout: "#d3362f",
  fast: "#3b73c8",
  slow_start: "#e07b39",
  tail_loss_probe: "#7fb0ea",
  syn: "#8b5cc4",
  syn_ack: "#c9a6ef",
  reordering: "#17a2b0",
  mtu: "#6b7280",
  window_probe: "#b8860b",
  other: "#aab0b8",
};

export function colourOf(name: string, index: number): string {
  return BY_NAME[name] ?? PALETTE[index % PALETTE.length] ?? BLUE;
}

export function thresholdColour(value: number, thresholds: Thresholds | undefined): string {
  if (thresholds === undefined) return BLUE;
  const { warning, bad, descending = false } = thresholds;
  const isPast = (limit: number) => (descending ? value < limit : value >= limit);
  if (isPast(bad)) return RED;
  return isPast(warning) ? YELLOW : GREEN;
}

/** From pale yellow to red, as Grafana's continuous scheme. */
export function heat(share: number): string {
  const clamped = Math.min(1, Math.max(0, share));
  if (clamped === 0) return "#f4f5f7";
  return `hsl(${Math.round(52 - 48 * clamped)} 90% ${Math.round(88 - 34 * clamped)}%)`;
}
