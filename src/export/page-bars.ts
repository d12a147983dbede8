import { type Html, html } from "./html.ts";

/** Height of the tallest bar, in units of the drawing. */
const HEIGHT = 24;
/** Anything at all is seen. */
const LEAST = 1.5;

/** Numbers as bars beside each other, the tallest as high as the drawing. */
export function rateBars(values: readonly number[], label: string): Html {
  const most = Math.max(...values, 0);
  const bars = values.map((value, i) => {
    if (value === 0) return undefined;
    const height = Math.max(LEAST, (HEIGHT * value) / most).toFixed(1);
    return html`<rect x="${i + 0.1}" y="${(HEIGHT - Number(height)).toFixed(1)}" width="0.8" height="${height}"/>`;
  });
  return html`<svg viewBox="0 0 ${values.length} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${label}">${bars}<rect x="0" y="${HEIGHT - 0.5}" width="${values.length}" height="0.5"/></svg>`;
}

/** A part of a whole as one bar across. */
export function shareBar(part: number, whole: number): Html {
  const width = whole === 0 ? 0 : (100 * part) / whole;
  return html`<svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true"><rect width="${width.toFixed(1)}" height="1"/></svg>`;
}
