/** Text that is HTML already: only html`` makes it. */
class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type { Html };

/** What may stand in html``: text is escaped, an absent thing is nothing. */
export type HtmlValue = string | number | Html | undefined | readonly HtmlValue[];

/**
 * Puts values into HTML, each as text unless it is HTML itself: between tags, or in an attribute with double quotes
 * around it. The parts around the values are the program's own.
 */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let text = parts[0] ?? "";
  for (const [i, value] of values.entries()) text += textOf(value) + (parts[i + 1] ?? "");
  return new Html(text);
}

/** Takes a constant of the program for HTML as it is. Never what came from elsewhere. */
export function trusted(constant: string): Html {
  return new Html(constant);
}

/**
 * To be put into html`` as values: with one of these characters in a part of its own V8 would keep two bytes for each
 * character of the whole bundle, since a bundler leaves such parts as they are.
 */
export const ARROW = "→";
export const DASH = "–";
export const ELLIPSIS = "…";

function textOf(value: HtmlValue): string {
  if (value === undefined) return "";
  if (typeof value === "string") return escapeHtml(value);
  if (typeof value === "number") return String(value);
  return value instanceof Html ? value.text : value.map(textOf).join("");
}

/**
 * Text as it reads, wherever HTML takes text: nothing in it is markup, and nothing in it turns the direction of what
 * stands beside it or is no character at all.
 */
export function escapeHtml(text: string): string {
  return text.replace(SPECIAL, (character) => ENTITIES[character] ?? (character === "\n" ? "\n" : "\ufffd"));
}

const SPECIAL = /[&<>"'`]|\p{C}/gu;
const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;",
};
