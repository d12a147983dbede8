/** A label and its text; an empty label makes a heading, an empty text too a blank line. */
export type Entry = readonly [label: string, text: string];

const COLUMNS = 100;
const LINES = 39;

/**
 * Lays entries out on one screen: 39 lines of 100 columns. A long text goes on below itself on a second line, or, where
 * the screen would not do, is cut after the first.
 */
export function layOut(entries: readonly Entry[]): string {
  const lines = [2, 1]
    .map((most) => entries.flatMap((entry) => wrap(entry, most)))
    .find((tried, index) => index === 1 || tried.length <= LINES);
  return (lines ?? [])
    .slice(0, LINES)
    .map((line) => `${line}\n`)
    .join("");
}

function wrap([label, text]: Entry, most: number): readonly string[] {
  const start = label === "" ? "" : `${label} `;
  const width = COLUMNS - start.length;
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  const shown = lines.slice(0, most);
  if (lines.length > most) shown[most - 1] = `${shown[most - 1]} …`;
  return shown
    .map((line) => (line.length <= width ? line : `${line.slice(0, width - 1)}…`))
    .map((line, index) => `${index === 0 ? start : " ".repeat(start.length)}${line}`.trimEnd());
}
