/** Requests of the man macros (groff_man(7)) that a manual page is written with. */

/** Text of a paragraph: nothing in it is a request. */
export function roffText(text: string): string {
  const escaped = text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("…", "...")
    .replaceAll("–", "\\(en")
    .replaceAll("'", "\\(aq")
    .replaceAll("`", "\\(ga");
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

/** A section, or a part of one. */
export function roffHeading(level: "SH" | "SS", title: string): string {
  return `.${level} "${roffText(title)}"`;
}

/** A term with what it means. */
export function roffItem(term: string, meaning: string): string {
  return `.TP\n.B ${roffText(term)}\n${roffText(meaning)}`;
}

/** Lines as they are. */
export function roffExample(lines: readonly string[]): string {
  return [".PP", ".EX", ...lines.map(roffText), ".EE"].join("\n");
}

/** A paragraph. */
export function roffParagraph(text: string): string {
  return `.PP\n${roffText(text)}`;
}
