import { ELLIPSIS, type Html, html } from "./html.ts";

/** Characters of a name that are shown: almost every name has fewer. */
const MOST = 96;
const HEAD = 60;
const TAIL = 34;

/** A name for people: of a very long one the beginning and the end, and all of it where a pointer rests on it. */
export function shownName(name: string): Html {
  const characters = name.length <= MOST ? [] : [...name];
  if (characters.length <= MOST) return html`${name}`;
  const head = characters.slice(0, HEAD).join("");
  const tail = characters.slice(-TAIL).join("");
  return html`<span title="${name}">${head}${ELLIPSIS}${tail}</span>`;
}
