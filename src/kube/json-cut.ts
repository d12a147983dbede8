const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

/**
 * JSON text without the members of this name that are objects and not the first of theirs, as far as it is written
 * without blanks, which the API server does: what nobody looks at need not be parsed. A comma and an unescaped quote
 * cannot stand side by side within a string, so that what is found is a member of that name. What is no JSON stays none,
 * or has lost its fault with what was cut.
 */
export function withoutObjects(text: string, name: string): string {
  const head = `,"${name}":{`;
  let kept = "";
  let from = 0;
  for (let at = text.indexOf(head); at !== -1; at = text.indexOf(head, from)) {
    kept += text.slice(from, at);
    from = objectEnd(text, at + head.length - 1);
  }
  return from === 0 ? text : kept + text.slice(from);
}

/** Where the object that begins at `start` is over; the text's end where it does not end. */
function objectEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = stringEnd(text, at);
    else if (code === OPEN_OBJECT || code === OPEN_ARRAY) depth++;
    else if ((code === CLOSE_OBJECT || code === CLOSE_ARRAY) && --depth === 0) return at + 1;
  }
  return text.length;
}

/** Where the closing quote is of the string that `start` opens. */
function stringEnd(text: string, start: number): number {
  let at = start + 1;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) break;
    if (code === BACKSLASH) at++;
  }
  return at;
}
