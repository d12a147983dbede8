const COLUMNS = 100;
const MAX_LINES = 2;

/** A label and its text on at most two lines of 100 columns, the second one indented below the text. */
export function wrapEntry(label: string, text: string): readonly string[] {
  const width = COLUMNS - label.length - 1;
  const lines: string[] = [""];
  for (const word of text.split(" ")) {
    const last = lines.at(-1) ?? "";
    const longer = last === "" ? word : `${last} ${word}`;
    if (longer.length <= width || last === "") lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  const shown = lines.slice(0, MAX_LINES).map((line) => clip(line, width));
  if (lines.length > MAX_LINES) shown[MAX_LINES - 1] = `${clip(shown.at(-1) ?? "", width - 1)}…`;
  return shown.map((line, index) => `${index === 0 ? label : " ".repeat(label.length)} ${line}`.trimEnd());
}

function clip(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
}
